"""Which wording of a message to many did better, in words: the table of each, the best beside the next."""

from collections.abc import Mapping, Sequence
from typing import Any

from admin_web.charts.interval import interval
from admin_web.formats import format_date, money, num, signed_money
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.pages.campaign_report import Said, last_day, rounded
from loyalty.campaigns.effect import LEAST_BUYERS, LEAST_PEOPLE, Pair, Verdict
from loyalty.campaigns.queries.report import Report
from loyalty.campaigns.rules.texts import LETTERS, Texts

BEGINNING = 60
"""So many characters of a wording say which one it is."""
CANNOT_TELL = mark("Cannot tell yet which is better")


def wordings_told(report: Report | None, texts: Sequence[Texts], language: str) -> dict[str, Any]:
    """What `campaigns/_report_wordings.html` shows. texts: of each wording; language: of whoever reads, or the shop."""
    if report is None or not report.wordings.counts:
        return {"report_wordings": []}
    wordings = report.wordings
    return {
        "report_wordings": [
            (LETTERS[place], _beginning(texts[place], language) if place < len(texts) else "", count)
            for place, count in enumerate(wordings.counts)
        ],
        "wordings_said": wordings_said(report),
        "wordings_interval": _interval(wordings.pairs[0]) if wordings.pairs else "",
        "wordings_others": [_beside(one) for one in wordings.pairs[1:] if one.difference is not None],
    }


def wordings_said(report: Report) -> Said:
    """Which one is better and how sure that is, in plain words."""
    wordings = report.wordings
    if wordings.verdict is Verdict.NO_WINDOW:
        told = _("It was sent without a window in which purchases count: replies and clicks are all that is known.")
        return Said(_("Which is better is not known"), "", told)
    if wordings.verdict is Verdict.EARLY:
        told = _("Purchases count up to %(day)s. It is told then: looked at early, chance alone looks like an effect.")
        return Said(_(CANNOT_TELL), "", told % {"day": format_date(last_day(report.until))})
    best = wordings.pairs[0]
    if wordings.verdict is Verdict.TOO_SMALL:
        told = _(
            "Too few people drew each of them: each wants %(people)s people and %(buyers)s buyers at least, and a sum"
            " that no few of them carry. A larger audience tells."
        )
        return Said(_(CANNOT_TELL), "", told % {"people": num(LEAST_PEOPLE), "buyers": num(LEAST_BUYERS)})
    names = _names(best)
    if wordings.verdict is Verdict.UNCLEAR:
        told = _(
            "The difference between %(first)s and %(other)s may be chance: from %(low)s to %(high)s a person, with 95%%"
            " certainty."
        )
        return Said(_(CANNOT_TELL), "", told % (names | _bounds(best)))
    title = _("%(first)s brought about %(sum)s ± %(margin)s more a person than %(other)s") % (names | _sums(best))
    return Said(title, "good", _("From %(low)s to %(high)s a person, with 95%% certainty.") % _bounds(best))


def _beside(pair: Pair) -> str:
    told = _("%(first)s beside %(other)s: %(sum)s a person, from %(low)s to %(high)s")
    sums = {"sum": signed_money(_round(pair.difference, pair))}
    return told % (_names(pair) | sums | _bounds(pair))


def _interval(pair: Pair) -> str:
    if pair.low is None or pair.high is None or pair.difference is None:
        return ""
    bounds = _bounds(pair)
    tint = "good" if pair.verdict is Verdict.EARNED else ""
    return interval(
        (pair.low, pair.high), pair.difference, (bounds["low"], bounds["high"]), tint=tint, label=_beside(pair)
    )


def _names(pair: Pair) -> dict[str, str]:
    return {"first": LETTERS[pair.first], "other": LETTERS[pair.other]}


def _sums(pair: Pair) -> dict[str, str]:
    return {"sum": money(_round(pair.difference, pair)), "margin": money(_round(pair.margin, pair))}


def _bounds(pair: Pair) -> dict[str, str]:
    return {"low": signed_money(_round(pair.low, pair)), "high": signed_money(_round(pair.high, pair))}


def _round(minor: int | None, pair: Pair) -> int:
    """To two digits of the margin: a person pays little enough for parts of a unit to matter."""
    return rounded(minor or 0, int(10 ** max(0, len(str(pair.margin or 0)) - 2)))


def _beginning(texts: Mapping[str, str], language: str) -> str:
    text = " ".join((texts.get(language) or next(iter(texts.values()), "")).split())
    return text if len(text) <= BEGINNING else f"{text[: BEGINNING - 1].rstrip()}…"
