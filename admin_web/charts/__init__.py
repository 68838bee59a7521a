"""Charts as SVG made on the server: shapes in SVG, words in HTML, every number through the reader's formats."""

from admin_web.charts.columns import bars, columns
from admin_web.charts.frame import Series
from admin_web.charts.lines import lines
from admin_web.charts.shares import share
from admin_web.charts.tables import as_table

__all__ = ("Series", "as_table", "bars", "columns", "lines", "share")
