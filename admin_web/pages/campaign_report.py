"""What came of a campaign, on its page: from people to purchases, both groups, the difference in words, the cost."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from admin_web.campaign_costs import names_of, price_text
from admin_web.charts.interval import interval
from admin_web.formats import format_date, money, num, signed_money
from admin_web.i18n import READER, mark
from admin_web.i18n import gettext as _
from admin_web.keys import now
from admin_web.message_words import channel_name
from loyalty.campaigns.effect import LEAST_BUYERS, LEAST_PEOPLE, Verdict
from loyalty.campaigns.queries.report import REFUNDED_WITHIN, Report, count_report, kept_report

AT_ONCE = 5_000
"""Of so many people it is counted with the page; of more, what was counted last is shown."""
NO_TALE = mark("these channels do not tell")
TITLES = {
    Verdict.EARNED: (mark("Earned about %(sum)s ± %(margin)s"), "good"),
    Verdict.LOST: (mark("Lost about %(sum)s ± %(margin)s"), "bad"),
    Verdict.UNCLEAR: (mark("Cannot tell yet"), ""),
    Verdict.TOO_SMALL: (mark("Cannot tell yet"), ""),
    Verdict.EARLY: (mark("Cannot tell yet"), ""),
    Verdict.NO_CONTROL: (mark("What it earned is not known"), ""),
    Verdict.NO_WINDOW: (mark("What it earned is not known"), ""),
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step on the way to a purchase. count: None where nobody tells; share_bp: of everybody, basis points."""

    name: str
    count: int | None
    share_bp: int | None
    hint: str = ""

    @property
    def length(self) -> int:
        """Of its bar, of a thousand."""
        return 0 if self.share_bp is None else min(1000, self.share_bp // 10)


@dataclass(frozen=True, slots=True)
class Said:
    """What may be said of the effect: a title with its tint, and why."""

    title: str
    tint: str
    text: str


async def report_of(
    request: web.Request, campaign_id: int, *, people: int, button_names: Mapping[int, str] | None = None
) -> dict[str, Any]:
    """What `campaigns/_report.html` shows of a campaign that has begun. people: its whole audience.

    button_names: what stands on each button that opens an address, by its number.
    """
    report = await kept_report(campaign_id)
    if people <= AT_ONCE and (report is None or not report.is_final):
        report = await count_report(campaign_id, now=now(request))
    if report is None:
        return {"report": None}
    return {
        "report": report,
        "report_steps": _steps(report, has_links=bool(button_names)),
        "report_said": said(report),
        "report_interval": _interval(report),
        "report_left": left(report),
        "report_prices": _prices(report),
        "report_unpriced": names_of(report.unpriced),
        "report_without": _("without %(channels)s") % {"channels": names_of(report.unpriced)},
        "report_channels": [(channel_name(name), told) for name, told in report.channels.items()],
        "report_buttons": _buttons(report, button_names or {}),
        "report_changes_until": report.until + REFUNDED_WITHIN if report.until and not report.is_final else None,
    }


def said(report: Report) -> Said:
    """The effect in plain words."""
    title, tint = TITLES[report.verdict]
    step = _step(report.margin)
    sums = {
        "sum": money(rounded(abs(report.difference or 0), step)),
        "margin": money(rounded(report.margin or 0, step)),
    }
    return Said(_(title) % sums, tint, _why(report))


def left(report: Report) -> str:
    """What is left of a known effect after what channels charged; empty where one of both is not known, or nothing."""
    cost = report.charged
    if report.verdict not in {Verdict.EARNED, Verdict.LOST} or report.unpriced or not cost:
        return ""
    assert report.difference is not None
    assert report.low is not None
    step = _step(report.margin)
    low, high = (rounded((one or 0) - cost, step) for one in (report.low, report.high))
    if report.low <= cost:
        told = _("Less the %(cost)s that messages cost: from %(low)s to %(high)s.")
        return told % {"cost": money(cost), "low": signed_money(low), "high": signed_money(high)}
    sums = {
        "cost": money(cost),
        "sum": money(rounded(report.difference - cost, step)),
        "margin": money(rounded(report.margin or 0, step)),
    }
    return _("Messages cost %(cost)s: about %(sum)s ± %(margin)s are left after that.") % sums


def _prices(report: Report) -> list[tuple[str, int | None, str]]:
    """(channel, what its messages cost, for how many at which price) of each channel that took some."""
    found = []
    for name, told in report.channels.items():
        if not told.sent + told.unknown:
            continue
        how = ""
        if told.units is not None and told.price:
            how = f"{num(told.units)} × {price_text(told.price)}"
        found.append((channel_name(name), told.cost, how))
    return found


def _why(report: Report) -> str:
    match report.verdict:
        case Verdict.EARNED:
            told = _(
                "They paid so much more than they would have without the message: from %(low)s to %(high)s, with 95%%"
                " certainty."
            )
            return told % _bounds(report)
        case Verdict.LOST:
            told = _(
                "They paid so much less than they would have without the message: from %(low)s to %(high)s, with 95%%"
                " certainty."
            )
            return told % _bounds(report)
        case Verdict.UNCLEAR:
            told = _("The groups differ no more than by chance: from %(low)s to %(high)s, with 95%% certainty.")
            return told % _bounds(report)
        case Verdict.TOO_SMALL:
            told = _(
                "The groups are too small: each wants %(people)s people and %(buyers)s buyers at least, and a sum that"
                " no few of them carry. A larger audience or a larger control group tells."
            )
            return told % {"people": num(LEAST_PEOPLE), "buyers": num(LEAST_BUYERS)}
        case Verdict.EARLY:
            last = format_date(last_day(report.until))
            told = _(
                "Purchases count up to %(day)s. It is told then: looked at early, chance alone looks like an effect."
            )
            return told % {"day": last}
        case Verdict.NO_WINDOW:
            return _("It was sent without a window in which purchases count.")
        case _:
            return _(
                "Everybody was written to, so nobody knows what they would have bought anyway. A control group tells:"
                " a share of people, drawn by lot, that does not get the message."
            )


def _bounds(report: Report) -> dict[str, str]:
    step = _step(report.margin)
    low, high = (rounded(one or 0, step) for one in (report.low, report.high))
    return {"low": signed_money(low), "high": signed_money(high)}


def _step(margin: int | None) -> int:
    """To what sums are rounded when they are told: two digits of the margin, and whole units of the currency."""
    return int(10 ** max(READER.get().exponent, len(str(abs(margin or 0))) - 2))


def rounded(minor: int, step: int) -> int:
    """A sum to the nearest step."""
    return (minor + step // 2) // step * step


def _steps(report: Report, *, has_links: bool) -> list[Step]:
    """From people to purchases."""
    arrives = [name for name, told in report.channels.items() if told.delivered is not None]
    reads = [name for name, told in report.channels.items() if told.read is not None]
    steps = [
        _share(report, _("Drawn to be written to"), report.people),
        _share(report, _("Went out"), report.sent),
        _share(report, _("Arrived"), report.delivered, _tale(report, arrives)),
        _share(report, _("Was read"), report.read, _tale(report, reads)),
        _share(report, _("Replied"), report.replied),
    ]
    if has_links or report.clicked:
        steps.append(_share(report, _("Followed a link"), report.clicked))
    if report.bought is not None:
        steps.append(_share(report, _("Bought"), report.bought))
    return steps


def _share(report: Report, name: str, count: int | None, hint: str = "") -> Step:
    # To a tenth of a percent.
    share = None if count is None or not report.people else round(count * 1_000 / report.people) * 10
    return Step(name, count, share, hint)


def _tale(report: Report, telling: list[str]) -> str:
    """Of which channels a figure tells, where it does not tell of all."""
    if not report.channels or len(telling) == len(report.channels):
        return ""
    if not telling:
        return _(NO_TALE)
    return _("told by %(channels)s alone") % {"channels": ", ".join(channel_name(name) for name in telling)}


def _interval(report: Report) -> str:
    if report.low is None or report.high is None or report.difference is None:
        return ""
    bounds = _bounds(report)
    told = signed_money(rounded(report.difference, _step(report.margin)))
    label = _("Difference: %(sum)s, from %(low)s to %(high)s") % {"sum": told, **bounds}
    tint = {Verdict.EARNED: "good", Verdict.LOST: "bad"}.get(report.verdict, "")
    ends, words = (report.low, report.high), (bounds["low"], bounds["high"])
    return interval(ends, report.difference, words, tint=tint, label=label)


def _buttons(report: Report, names: Mapping[int, str]) -> list[tuple[str, int, int]]:
    """(name, people, clicks) of each button that somebody followed."""
    found = sorted((int(number), pair) for number, pair in report.buttons.items())
    return [(names.get(number) or _("Button %(n)s") % {"n": num(number + 1)}, *pair) for number, pair in found]


def last_day(until: datetime | None) -> datetime | None:
    """The last day on which purchases count."""
    return None if until is None else until - timedelta(microseconds=1)
