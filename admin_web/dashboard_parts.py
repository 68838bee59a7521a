"""What the parts of the overview show: their numbers beside those before, and their charts."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

from aiohttp import web

from admin_web.auth import staff_of
from admin_web.charts import Series, as_table, bars, columns, lines, share
from admin_web.chats import CHANNELS, WHY
from admin_web.dashboard_words import (
    FREQUENCIES,
    GROUPS,
    MEANINGS,
    RECENCIES,
    change,
    change_of_score,
    change_of_share,
    frequency_name,
    local_time,
    plain_change,
    point_name,
    recency_name,
    slot_names,
)
from admin_web.formats import about, bonuses, format_date, money, num, percent
from admin_web.i18n import gettext as _
from admin_web.keys import now
from loyalty.conversations.queries.sent import Fate
from loyalty.money import money_of
from loyalty.office.dashboard import Part, Step, Window
from loyalty.office.queries.dashboard.answers import Answers
from loyalty.office.queries.dashboard.bonuses import Bonuses
from loyalty.office.queries.dashboard.messages import Channel, Messages
from loyalty.office.queries.dashboard.owed import Owed
from loyalty.office.queries.dashboard.rfm import Rfm
from loyalty.office.queries.dashboard.sales import Sales
from loyalty.office.rfm import AREAS, Area, filter_of, group_of
from loyalty.segments.rules.trees import tree_text
from loyalty.shop.queries import programme_at
from loyalty.staff.rules import Permission, may
from loyalty.surveys.rules import Group

COLUMNS_UP_TO = 31
"""Of more points, amounts that stand side by side are drawn as lines."""

Data = dict[str, Any]
Chosen = tuple[int, ...] | None


async def sales_data(request: web.Request, found: Sales, window: Window, chosen: Chosen) -> Data:  # noqa: ARG001
    """The strip on top, and two lines over time."""
    here, before = found.now, found.before
    kpis = [
        ("active", num(here.active), change(here.active, before.active), num(before.active)),
        ("fresh", num(here.fresh), change(here.fresh, before.fresh), num(before.fresh)),
        (
            "repeat",
            percent(_rounded(here.repeat_bp)),
            change_of_share(here.repeat_bp, before.repeat_bp),
            percent(_rounded(before.repeat_bp)),
        ),
        ("sold", about(here.sold), change(here.sold, before.sold), about(before.sold)),
        ("average", money(here.average), change(here.average, before.average), money(before.average)),
    ]
    data: Data = {
        "kpis": [(_(MEANINGS[key][0]), *rest) for key, *rest in kpis],
        "meanings": [(_(name), _(text)) for name, text in MEANINGS.values()],
        "receipts": here.receipts,
        "is_nothing": not here.receipts and not here.fresh,
    }
    if not data["is_nothing"]:
        data |= _trends(request, found, window)
    return data


def _trends(request: web.Request, found: Sales, window: Window) -> Data:
    names, ahead = slot_names(window), _passed(request, window)
    trend, past = found.trend, found.trend_before
    sold = Series("c1", _("Revenue"), trend.sold[:ahead])
    active, fresh = (
        Series("c1", _("Bought"), trend.active[:ahead]),
        Series("c3", _("New customers"), trend.fresh[:ahead]),
    )
    lines_of_sold = [sold]
    if window.is_aligned and len(past.sold) == len(names) and any(past.sold):
        lines_of_sold.append(Series("c5", _("The days before"), past.sold, is_past=True))
    receipts = Series("c1", _("Receipts"), trend.receipts[:ahead])
    shown = names[:ahead]
    return {
        "sold_chart": lines(names, lines_of_sold, label=_("Revenue over time"), show=money),
        "sold_legend": lines_of_sold,
        "sold_table": as_table(
            shown, [(sold, money), (receipts, num)], label=_("Revenue"), point=point_name(window.step)
        ),
        "people_chart": lines(names, [active, fresh], label=_("Customers over time"), show=num),
        "people_legend": [active, fresh],
        "people_table": as_table(
            shown, [(active, num), (fresh, num)], label=_("Customers"), point=point_name(window.step)
        ),
    }


def _passed(request: web.Request, window: Window) -> int:
    """How many places of a period have begun: of today, the hours until now."""
    if window.step is Step.HOUR and window.until is not None:
        return local_time(now(request)).hour + 1
    return window.places


async def bonuses_data(request: web.Request, found: Bonuses, window: Window, chosen: Chosen) -> Data:
    """What was earned, burnt and has expired; what was given besides."""
    here, before = found.now, found.before
    is_chain = chosen is None and staff_of(request).location_ids is None
    rows = [
        ("c1", _("Earned"), here.earned, before.earned),
        ("c3", _("Burnt"), here.burnt, before.burnt),
        ("c2", _("Expired"), here.expired, before.expired),
    ]
    more = [
        (_("Gifts"), here.gifts),
        (_("Credited by hand or by file"), here.given),
        (_("Debited by hand"), here.taken),
    ]
    series = [
        Series(tint, name, values)
        for (tint, name, *_rest), values in zip(rows, (found.earned, found.burnt, found.expired), strict=True)
    ]
    data: Data = {
        "rows": [(tint, name, bonuses(amount), plain_change(amount, past)) for tint, name, amount, past in rows],
        "more": [(name, bonuses(amount)) for name, amount in more if amount] if is_chain else [],
        "is_nothing": not any(amount for _tint, _name, amount, _past in rows) and not any(amount for _, amount in more),
        "is_chain": is_chain,
    }
    if window.step is not Step.HOUR and not data["is_nothing"]:
        names, label = slot_names(window), _("Bonuses earned, burnt and expired")
        # Three columns of each of ninety days are a fence.
        draw = columns if window.places <= COLUMNS_UP_TO else lines
        data["chart"] = draw(names, series, label=label, show=bonuses)
        data["table"] = as_table(names, [(one, bonuses) for one in series], label=label, point=point_name(window.step))
    return data


async def owed_data(request: web.Request, found: Owed, window: Window, chosen: Chosen) -> Data:  # noqa: ARG001
    """What is outstanding, in bonuses and money, and by months when it expires."""
    value = (await programme_at(now(request))).bonus_value
    ends = [(format_date(month, "LLL"), amount) for month, amount in found.months]
    label = _("What expires, by month")
    amounts = [amount for _month, amount in found.months]
    table = [
        (Series("c1", _("Bonuses"), amounts), bonuses),
        (Series("c1", _("Worth"), [money_of(amount, value) for amount in amounts]), money),
    ]
    return {
        "outstanding": bonuses(found.outstanding),
        "worth": money(money_of(found.outstanding, value)),
        "facts": [
            (_("Expires within 7 days"), bonuses(found.week)),
            (_("Expires within 30 days"), bonuses(found.month)),
            (_("Expires later than these months"), bonuses(found.later)),
            (_("Never expires"), bonuses(found.never)),
            (_("Not to be spent yet"), bonuses(found.pending)),
            *([(_("Customers owe us"), bonuses(found.debt))] if found.debt is not None else []),
        ],
        "is_nothing": not found.outstanding,
        "chart": bars(ends, label=label, show=bonuses),
        "table": as_table(
            [format_date(month, "LLLL y") for month, _amount in found.months], table, label=label, point=_("Month")
        ),
    }


async def messages_data(request: web.Request, found: Messages, window: Window, chosen: Chosen) -> Data:  # noqa: ARG001
    """How many went through each channel, and why some did not."""
    reasons = [
        (_(WHY.get(reason, reason)) if reason else _("no reason was told"), num(count))
        for reason, count in found.reasons
    ]
    if found.other_reasons:
        reasons.append((_("other reasons"), num(found.other_reasons)))
    since, until = window.first.isoformat(), window.last.isoformat()
    reads = may(staff_of(request).role, Permission.MESSAGES_READ)
    return {
        "channels": [_channel(channel) for channel in found.channels],
        "reasons": reasons,
        "failed_url": f"/messages?days=own&since={since}&until={until}&state=failed" if reads and reasons else None,
        "is_nothing": not found.channels,
    }


def _channel(channel: Channel) -> Data:
    failed, sent = channel.of(Fate.FAILED) or 0, channel.sent
    other = channel.total - sent - failed
    parts = [
        ("c3", f"{_('Sent out')}: {num(sent)}", sent),
        ("c5", f"{_('Waiting, unknown or cancelled')}: {num(other)}", other),
        ("c2", f"{_('Not sent')}: {num(failed)}", failed),
    ]
    name = _(CHANNELS.get(channel.name, channel.name))
    return {
        "name": name,
        "total": num(channel.total),
        "counts": [num(count) for count in (sent, channel.of(Fate.DELIVERED), channel.of(Fate.READ), failed)],
        "share": share(parts, label=name),
    }


async def answers_data(request: web.Request, found: Answers, window: Window, chosen: Chosen) -> Data:  # noqa: ARG001
    """The score, how sure it is, and who it is made of."""
    tally, before = found.tally, found.tally_before
    if tally.nps is None or tally.interval is None:
        return {"is_nothing": True}
    groups = (
        (Group.PROMOTER, "c3", _("Promoters")),
        (Group.PASSIVE, "c5", _("Passives")),
        (Group.DETRACTOR, "c2", _("Detractors")),
    )
    shares = [(tint, name, tally.share_bp(group)) for group, tint, name in groups]
    low, high = (num(round(end)) for end in tally.interval)
    return {
        "is_nothing": False,
        "score": num(round(tally.nps)),
        "change": change_of_score(tally.nps, before.nps) if not before.is_small else None,
        "answers": tally.total,
        "interval": (low, high) if tally.is_small else None,
        "groups": [(tint, name, percent(_rounded(basis_points))) for tint, name, basis_points in shares],
        "share": share(
            [(tint, f"{name}: {percent(_rounded(basis_points))}", basis_points) for tint, name, basis_points in shares],
            label=_("NPS"),
        ),
    }


async def rfm_data(request: web.Request, found: Rfm, window: Window, chosen: Chosen) -> Data:  # noqa: ARG001
    """The cells, each with the address of its people in the base; and the groups that they make."""

    def href(area: Area) -> str:
        return f"/customers?f={quote(tree_text(filter_of(found.cuts, area, chosen)), safe=':,()')}"

    def cell(recency: int, frequency: int) -> Data:
        one = found.at(recency, frequency)
        group = group_of(recency, frequency)
        return {
            "count": one.customers,
            "sold": about(one.sold),
            "average": about(one.average),
            "group": group.value,
            "name": _(GROUPS[group][0]),
            "href": href(Area((recency, recency), (frequency, frequency))),
        }

    groups = []
    for group, area in AREAS.items():
        whole = found.within(area)
        part = round(whole.customers * 10_000 / found.customers) if found.customers else 0
        groups.append(
            {
                "key": group.value,
                "name": _(GROUPS[group][0]),
                "text": _(GROUPS[group][1]),
                "count": whole.customers,
                "share": percent(_rounded(part)),
                "sold": about(whole.sold),
                "href": href(area),
            }
        )
    return {
        "recencies": [recency_name(found.cuts, recency) for recency in RECENCIES],
        "rows": [
            (frequency_name(found.cuts, frequency), [cell(recency, frequency) for recency in RECENCIES])
            for frequency in FREQUENCIES
        ],
        "groups": groups,
        "customers": found.customers,
        "is_nothing": not found.customers,
        "opens": may(staff_of(request).role, Permission.CUSTOMERS_READ),
    }


def _rounded(basis_points: int | None) -> int | None:
    """To tenths of a percent."""
    return None if basis_points is None else round(basis_points / 10) * 10


PART_DATA: Mapping[Part, Callable[[web.Request, Any, Window, Chosen], Awaitable[Data]]] = {
    Part.SALES: sales_data,
    Part.BONUSES: bonuses_data,
    Part.OWED: owed_data,
    Part.MESSAGES: messages_data,
    Part.ANSWERS: answers_data,
    Part.RFM: rfm_data,
}
