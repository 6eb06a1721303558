"""What an analyst moves in a notebook: a form made from a manifest, maps with sliders."""

from ldt_toolbox.widgets.figure import NotebookFigure, NotebookFilm, show_film, show_map
from ldt_toolbox.widgets.form import ParameterForm, form
from ldt_toolbox.widgets.progress import progress_bar

__all__ = [
    "NotebookFigure",
    "NotebookFilm",
    "ParameterForm",
    "form",
    "progress_bar",
    "show_film",
    "show_map",
]
