"""Between which sums the truth lies, beside nothing at all."""

from markupsafe import Markup

WIDTH, HEIGHT = 400, 58
_MARGIN = 14
_LINE = 30
_LABEL = 110
"""So wide is the place of a sum below the line, in units of the drawing."""


def interval(ends: tuple[int, int], middle: int, words: tuple[str, str], *, tint: str, label: str) -> Markup:
    """A line from end to end with its middle and a sum below each end, and where zero lies.

    words: the sums for people. tint: a class of colour, or nothing. label: what a screen reader says.
    """
    low, high = ends
    least, most = min(low, 0), max(high, 0)
    span = max(1, most - least)

    def place(value: int) -> float:
        return _MARGIN + (WIDTH - 2 * _MARGIN) * (value - least) / span

    shapes = (
        Markup('<line class="interval-axis" x1="0" x2="{}" y1="{}" y2="{}"/>').format(WIDTH, _LINE, _LINE),
        Markup('<line class="interval-zero" x1="{0:.1f}" x2="{0:.1f}" y1="15" y2="42"/>').format(place(0)),
        _text(place(0), 10, "0"),
        Markup('<line class="interval-span" x1="{:.1f}" x2="{:.1f}" y1="{}" y2="{}"/>').format(
            place(low), place(high), _LINE, _LINE
        ),
        Markup('<circle class="interval-middle" cx="{:.1f}" cy="{}" r="6"/>').format(place(middle), _LINE),
        *(_text(x, HEIGHT - 3, text) for x, text in zip(_apart(place(low), place(high)), words, strict=True)),
    )
    return Markup('<svg class="interval {}" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        tint, WIDTH, HEIGHT, label, Markup("").join(shapes)
    )


def _text(x: float, y: float, text: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>').format(x, y, text)


def _apart(low: float, high: float) -> tuple[float, float]:
    """Where the middles of both words stand: below their ends, but beside each other and inside of the drawing."""
    if high - low < _LABEL:
        middle = (low + high) / 2
        low, high = middle - _LABEL / 2, middle + _LABEL / 2
    shift = max(0, _LABEL / 2 - low) - max(0, high + _LABEL / 2 - WIDTH)
    if high - low + _LABEL > WIDTH - 1:
        return _LABEL / 2, WIDTH - _LABEL / 2
    return low + shift, high + shift
