"""What an analyst moves in a notebook: a form made from a manifest, maps with sliders."""

from ldt_toolbox.widgets.figure import NotebookFigure, show_map
from ldt_toolbox.widgets.form import ParameterForm, form

__all__ = ["NotebookFigure", "ParameterForm", "form", "show_map"]
