"""What charts have in common: a scale that ends at a round number, rules, the words at both axes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

BAND = 50
"""How wide the place of one point is, in units of the drawing: it is stretched to the card."""
HEIGHT = 100
ALL_NAMED = 14
"""Up to so many points, each has its name below; of more, a few do."""
FEW_NAMED = 5
MANY_ON_A_PHONE = 6
"""From so many on, every other name gives way on a phone."""

Show = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Series:
    """Values of the same points; those that lie ahead have none.

    tint: a class of colour, c1 to c5. is_past: what it was before.
    """

    tint: str
    name: str
    values: Sequence[int]
    is_past: bool = False


def framed(kind: str, drawing: Markup, names: Sequence[str], *, top: int, label: str, show: Show) -> Markup:
    """The drawing with its axes. `kind` is a class of the whole, `label` says what it shows."""
    rules = (Markup('<line class="rule" x1="0" x2="{}" y1="{}" y2="{}"/>').format(width(names), y, y) for y in RULES)
    return Markup(
        '<div class="chart {}"><div class="chart-y" aria-hidden="true">{}</div>'
        '<div class="chart-plot"><svg viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
        "{}{}</svg></div>{}</div>"
    ).format(
        kind,
        Markup("").join(Markup("<span>{}</span>").format(show(value)) for value in (top, top // 2, 0)),
        width(names),
        HEIGHT,
        label,
        Markup("").join(rules),
        drawing,
        _axis(names),
    )


RULES = (0, HEIGHT // 2, HEIGHT)


def bands(names: Sequence[str], series: Sequence[Series], show: Show) -> Markup:
    """A place over each point that says its values to a mouse."""
    made = (
        Markup('<rect class="band" x="{}" y="0" width="{}" height="{}"><title>{}</title></rect>').format(
            index * BAND,
            BAND,
            HEIGHT,
            "\n".join([name, *(f"{one.name}: {show(one.values[index])}" for one in series if index < len(one.values))]),
        )
        for index, name in enumerate(names)
    )
    return Markup("").join(made)


def width(names: Sequence[str]) -> int:
    """How wide a drawing of these points is."""
    return max(1, len(names)) * BAND


def top_of(series: Sequence[Series]) -> int:
    """Where the scale of these ends."""
    return round_up(max((value for one in series for value in one.values), default=0))


def height_of(value: int, top: int) -> float:
    """How high a value stands. What is below zero lies on the ground: its number says how much."""
    return max(0, value) * HEIGHT / top


def round_up(value: int) -> int:
    """The next even number of the kind 1, 2, 4, 5 x 10^n, so that half of it is whole; 100 for nothing."""
    if value <= 0:
        return 100
    power = 1
    while True:
        for step in (1, 2, 4, 5):
            if step * power >= value and step * power % 2 == 0:
                return step * power
        power *= 10


def _axis(names: Sequence[str]) -> Markup:
    """The names of the points, each below its own; of very many some."""
    step = 1 if len(names) <= ALL_NAMED else -(-len(names) // FEW_NAMED)
    shown = (name if index % step == step // 2 else "" for index, name in enumerate(names))
    thin = " thin" if step == 1 and len(names) >= MANY_ON_A_PHONE else ""
    spans = Markup("").join(Markup("<span>{}</span>").format(name) for name in shown)
    return Markup('<div class="chart-x{}" aria-hidden="true">{}</div>').format(thin, spans)
