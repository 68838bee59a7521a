"""Charts as SVG made on the server: shapes in SVG, words in HTML, every number through the reader's formats."""

from collections.abc import Callable, Sequence

from markupsafe import Markup

_WIDTH = 40
_GAP = 10
_HEIGHT = 100
_BAR = Markup('<rect class="bar-fill" x="{}" y="{:.2f}" width="{}" height="{:.2f}" rx="2"><title>{}: {}</title></rect>')


def bars(points: Sequence[tuple[str, int]], *, label: str, show: Callable[[int], str]) -> Markup:
    """One bar a point, (its name, its value >= 0); `show` writes a value for people, `label` names the chart.

    The scale ends at a round number of 1, 2 or 5 times a power of ten. Values stand in titles, and in the text
    that a screen reader gets.
    """
    top = _round_up(max((value for _, value in points), default=0))
    shapes = [
        _BAR.format(index * (_WIDTH + _GAP) + _GAP / 2, *_span(value, top), name, show(value))
        for index, (name, value) in enumerate(points)
    ]  # fmt: skip
    rules = [
        Markup('<line class="rule" x1="0" x2="{}" y1="{}" y2="{}"/>').format(_total(points), y, y) for y in (0, 50, 100)
    ]
    spoken = ", ".join(f"{name}: {show(value)}" for name, value in points)
    return Markup(
        '<div class="chart chart-bars"><div class="chart-y" aria-hidden="true">{}</div>'
        '<div class="chart-plot c1"><svg viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}. {}">'
        "{}{}</svg></div>"
        '<div class="chart-x" aria-hidden="true">{}</div></div>'
    ).format(
        Markup("").join(Markup("<span>{}</span>").format(show(value)) for value in (top, top // 2, 0)),
        _total(points),
        _HEIGHT,
        label,
        spoken,
        Markup("").join(rules),
        Markup("").join(shapes),
        Markup("").join(Markup("<span>{}</span>").format(name) for name, _ in points),
    )


def _span(value: int, top: int) -> tuple[float, int, float]:
    """(y, width, height) of a bar."""
    height = max(0, value) * _HEIGHT / top
    return _HEIGHT - height, _WIDTH, height


def _total(points: Sequence[tuple[str, int]]) -> int:
    return len(points) * (_WIDTH + _GAP)


def _round_up(value: int) -> int:
    """The next number of the kind 1, 2, 5 x 10^n; 100 for nothing."""
    power = 100
    while True:
        for step in (1, 2, 5):
            if step * power >= value:
                return step * power
        power *= 10
