"""Amounts of some points: one column each, or several side by side."""

from collections.abc import Sequence

from markupsafe import Markup

from admin_web.charts.frame import BAND, HEIGHT, Series, Show, bands, framed, height_of, top_of

GAP = 10
"""Between the columns of two points."""


def bars(points: Sequence[tuple[str, int]], *, label: str, show: Show) -> Markup:
    """One column a point, (its name, its value >= 0); `show` writes a value for people, `label` names the chart.

    Values stand in titles, and in the text that a screen reader gets.
    """
    names, values = [name for name, _ in points], [value for _, value in points]
    spoken = ", ".join(f"{name}: {show(value)}" for name, value in points)
    return columns(names, [Series("c1", label, values)], label=f"{label}. {spoken}", show=show)


def columns(names: Sequence[str], series: Sequence[Series], *, label: str, show: Show) -> Markup:
    """A column a series at each point; `label` says what is shown, the numbers stand in titles and in a table."""
    top = top_of(series)
    thick = (BAND - GAP) / max(1, len(series))
    shapes = (
        Markup('<rect class="bar-fill {}" x="{:.2f}" y="{:.2f}" width="{:.2f}" height="{:.2f}" rx="1"/>').format(
            one.tint, index * BAND + GAP / 2 + place * thick, HEIGHT - high, thick, high
        )
        for place, one in enumerate(series)
        for index, value in enumerate(one.values)
        if (high := height_of(value, top))
    )
    drawing = Markup("").join(shapes) + bands(names, series, show)
    return framed("chart-columns", drawing, names, top=top, label=label, show=show)
