"""Between which sums the truth lies, beside nothing at all."""

from markupsafe import Markup

WIDTH, HEIGHT = 400, 34
_MARGIN = 14
_MIDDLE = 17


def interval(low: int, middle: int, high: int, *, tint: str, label: str) -> Markup:
    """A line from low to high with its middle, and where zero lies. tint: a class of colour, or nothing."""
    least, most = min(low, 0), max(high, 0)
    span = max(1, most - least)

    def place(value: int) -> float:
        return _MARGIN + (WIDTH - 2 * _MARGIN) * (value - least) / span

    return Markup(
        '<svg class="interval {}" viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<line class="interval-axis" x1="0" x2="{}" y1="{}" y2="{}"/>'
        '<line class="interval-zero" x1="{:.1f}" x2="{:.1f}" y1="2" y2="{}"/>'
        '<line class="interval-span" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>'
        '<circle class="interval-middle" cx="{:.1f}" cy="{}" r="6"/></svg>'
    ).format(
        tint,
        WIDTH,
        HEIGHT,
        label,
        WIDTH,
        _MIDDLE,
        _MIDDLE,
        place(0),
        place(0),
        HEIGHT - 2,
        place(low),
        place(high),
        _MIDDLE,
        _MIDDLE,
        place(middle),
        _MIDDLE,
    )
