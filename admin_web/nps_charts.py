"""Charts of scores: how the score went over the months, and how many gave each score."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from admin_web.charts import Series
from admin_web.charts.frame import BAND, HEIGHT, bands, framed, height_of, top_of, width
from admin_web.formats import num, percent
from admin_web.i18n import gettext as _
from admin_web.survey_words import GROUPS
from loyalty.surveys.queries.results import Month
from loyalty.surveys.rules import group_of

TOP = 100


def trend(names: Sequence[str], months: Sequence[Month], *, label: str) -> Markup:
    """The score as a line, and the share of questions that were answered as another, month by month.

    The scale is 0 to 100, or -100 to 100 where a month went below zero. A month without answers breaks the line.
    """
    scores = [month.tally.nps for month in months]
    shares = [None if month.share_bp is None else month.share_bp / 100 for month in months]
    low = -TOP if any(score is not None and score < 0 for score in scores) else 0
    drawn = Markup("").join(
        [*_lines("c1", scores, low), *_lines("c4", shares, low), *_places(names, months)]
    )  # fmt: skip
    return Markup(
        '<div class="chart chart-lines"><div class="chart-y" aria-hidden="true">{}</div>'
        '<div class="chart-plot"><svg viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
        '{}{}</svg></div><div class="chart-x{}" aria-hidden="true">{}</div></div>'
    ).format(
        Markup("").join(Markup("<span>{}</span>").format(num(value)) for value in (TOP, (TOP + low) // 2, low)),
        width(names),
        HEIGHT,
        label,
        Markup("").join(
            Markup('<line class="rule" x1="0" x2="{}" y1="{}" y2="{}"/>').format(width(names), y, y)
            for y in (0, HEIGHT // 2, HEIGHT)
        ),
        drawn,
        " thin" if len(names) > 6 else "",
        Markup("").join(Markup("<span>{}</span>").format(name) for name in _shown(names)),
    )


def distribution(scores: Mapping[int, int], *, label: str) -> Markup:
    """A column for each score, in the colour of its group."""
    names, values = [num(score) for score in scores], list(scores.values())
    series = [Series("c1", _("Answers"), values)]
    top = top_of(series)
    shapes = (
        Markup('<rect class="bar-fill {}" x="{}" y="{:.2f}" width="{}" height="{:.2f}" rx="1"/>').format(
            GROUPS[group_of(score)][1], index * BAND + 4, HEIGHT - high, BAND - 8, high
        )
        for index, score in enumerate(scores)
        if (high := height_of(scores[score], top))
    )
    drawing = Markup("").join(shapes) + bands(names, series, num)
    return framed("chart-columns", drawing, names, top=top, label=label, show=num)


def _lines(tint: str, values: Sequence[float | None], low: int) -> list[Markup]:
    """A line through values that follow each other, and a dot for one that stands alone."""
    drawn, run = [], []
    for index, value in enumerate([*values, None]):
        if value is not None:
            run.append((index * BAND + BAND / 2, HEIGHT - (value - low) * HEIGHT / (TOP - low)))
            continue
        if run:
            # A line of no length with round ends is a dot, however the drawing is stretched.
            run = run if len(run) > 1 else run * 2
            points = " ".join(f"{x:g},{y:.2f}" for x, y in run)
            drawn.append(Markup('<polyline class="line dotted-ends {}" points="{}"/>').format(tint, points))
        run = []
    return drawn


def _places(names: Sequence[str], months: Sequence[Month]) -> list[Markup]:
    """A place over each month that says its numbers to a mouse."""
    return [
        Markup('<rect class="band" x="{}" y="0" width="{}" height="{}"><title>{}</title></rect>').format(
            index * BAND, BAND, HEIGHT, f"{name}\n{_('NPS')}: {score_text(month.tally.nps)}\n"
            f"{_('Answered')}: {percent(month.share_bp)}"
        )
        for index, (name, month) in enumerate(zip(names, months, strict=True))
    ]  # fmt: skip


def score_text(score: float | None) -> str:
    """A score in whole points."""
    return num(None if score is None else round(score))


def _shown(names: Sequence[str]) -> list[str]:
    """The names below a chart; of very many some."""
    step = 1 if len(names) <= 14 else -(-len(names) // 6)
    return [name if index % step == step // 2 else "" for index, name in enumerate(names)]
