"""The report that people read: one HTML file, and the maps in it."""

from ldt_toolbox.report.describe import alt_text
from ldt_toolbox.report.figures import map_figure, to_png
from ldt_toolbox.report.inputs import InputRecord
from ldt_toolbox.report.page import write_report

__all__ = ["InputRecord", "alt_text", "map_figure", "to_png", "write_report"]
