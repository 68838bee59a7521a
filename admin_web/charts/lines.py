"""How something went over time."""

from collections.abc import Sequence

from markupsafe import Markup

from admin_web.charts.frame import BAND, HEIGHT, Series, Show, bands, framed, height_of, top_of, width


def lines(names: Sequence[str], series: Sequence[Series], *, label: str, show: Show) -> Markup:
    """A line for each series over points with these names; the ground below the first one is tinted.

    The series of a period before is dashed. Points stand in the middle of their places, as columns do.
    """
    top = top_of(series)
    drawn = Markup("").join(_line(one, top) for one in reversed(series))
    return framed("chart-lines", _ground(series[0], top) + drawn + bands(names, series, show), names, top=top,
                  label=label, show=show)  # fmt: skip


def _points(series: Series, top: int) -> str:
    return " ".join(
        f"{index * BAND + BAND / 2:g},{HEIGHT - height_of(value, top):.2f}" for index, value in enumerate(series.values)
    )


def _line(series: Series, top: int) -> Markup:
    kind = "line past" if series.is_past else "line"
    return Markup('<polyline class="{} {}" points="{}"/>').format(kind, series.tint, _points(series, top))


def _ground(series: Series, top: int) -> Markup:
    last = width(series.values) - BAND / 2  # type: ignore[arg-type]
    return Markup('<polygon class="area-fill {}" points="{:g},{} {} {:g},{}"/>').format(
        series.tint, BAND / 2, HEIGHT, _points(series, top), last, HEIGHT
    )
