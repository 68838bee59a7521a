"""What happened to a person, in words: an icon, a sentence, what belongs to it, and where it leads."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from admin_web.acts import act_text
from admin_web.bonus_words import EVENTS, KINDS, TIER_REASONS
from admin_web.chats import HEARD
from admin_web.formats import money, num, signed
from admin_web.i18n import gettext as _
from admin_web.i18n import mark
from admin_web.label_words import importance_name
from admin_web.message_words import NAMES as TOLD
from admin_web.pages.customer_registration import CONSENTS, STEPS, VIAS
from loyalty.bonuses.rules import Kind
from loyalty.office.queries.timeline import Group, Happening
from loyalty.shop.rules import Programme
from loyalty.staff.rules import Permission
from loyalty.surveys.rules import Group as SurveyGroup
from loyalty.surveys.rules import group_of

GROUPS = {
    Group.MONEY: (mark("Money"), "receipt"),
    Group.MESSAGES: (mark("Messages"), "message-circle"),
    Group.VISITS: (mark("Visits"), "calendar"),
    Group.LABELS: (mark("Labels"), "tag"),
    Group.CARD: (mark("Card"), "id-card"),
}
"""What can be seen alone: its name and icon, in the order of the chips."""
APPOINTMENTS = {
    "planned": (mark("Booked"), "calendar", "acc"),
    "came": (mark("Came to a booking"), "calendar-check", "good"),
    "cancelled": (mark("Booking cancelled"), "calendar-x", ""),
    "no_show": (mark("Did not come to a booking"), "calendar-x", "bad"),
}
CLAIMS = {
    "waiting": mark("Receipt from the chat waits for its check"),
    "approved": mark("Receipt from the chat credited"),
    "matched": mark("Receipt from the chat found at the till"),
    "refused": mark("Receipt from the chat refused"),
}
MORE_TOLD = {
    "reply": mark("Answer of the bot"),
    "card": mark("Card with the code"),
    "invitation": mark("Invitation with its link"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a timeline. tint: of the icon. label, color: a category that belongs to it. words: of people."""

    at: datetime
    symbol: str
    tint: str
    text: str
    more: str
    words: str
    who: str
    where: str
    href: str
    label: str = ""
    color: str = ""


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads whose timeline: what may be told, and where things stand."""

    customer_id: int
    programme: Programme
    may: Callable[[Permission], bool]

    def tab(self, name: str) -> str:
        """The address of a tab of the card."""
        return f"/customers/{self.customer_id}?tab={name}"


def line_of(one: Happening, reader: Reader) -> Line:
    """The line of a happening."""
    told = _WORDS[one.kind](one, reader)
    return Line(
        at=one.at,
        symbol=told.symbol,
        tint=told.tint,
        text=told.text,
        more=told.more,
        words=told.words,
        who=one.staff_name or "",
        where=one.location_name or "",
        href=told.href,
        label=(one.label or "") if one.color else "",
        color=one.color or "",
    )


@dataclass(frozen=True, slots=True)
class _Told:
    symbol: str
    text: str
    more: str = ""
    tint: str = ""
    words: str = ""
    href: str = ""


def _receipt(one: Happening, reader: Reader) -> _Told:
    is_sale = one.what == "sale"
    text = (
        _("Purchase of %(sum)s") % {"sum": money(one.amount)}
        if is_sale
        else _("Refund of %(sum)s") % {"sum": money(one.amount)}
    )
    sign = 1 if is_sale else -1
    parts = []
    if one.more:
        parts.append(_("bonuses earned: %(n)s") % {"n": signed(sign * one.more)})
    if one.less:
        parts.append(_("bonuses used: %(n)s") % {"n": signed(-sign * one.less)})
    symbol, tint = ("shopping-bag", "good") if is_sale else ("undo-2", "warn")
    return _Told(symbol, text, ", ".join(parts), tint, href=reader.tab("receipts"))


def _bonuses(one: Happening, reader: Reader) -> _Told:
    name, tint = KINDS[Kind(one.what)]
    event = _(EVENTS[one.label]) if one.label in EVENTS else ""
    text = _("%(what)s, bonuses: %(n)s") % {"what": _(name), "n": signed(one.amount)}
    return _Told("wallet", text, event if event != _(name) else "", tint, href=reader.tab("bonuses"))


def _tier(one: Happening, reader: Reader) -> _Told:
    now, before = reader.programme.tier(one.amount).name, reader.programme.tier(one.more).name
    symbol, tint = ("trending-up", "vio") if one.amount > one.more else ("trending-down", "warn")
    reason = _(TIER_REASONS[one.what]) if one.what in TIER_REASONS else ""
    return _Told(
        symbol,
        _("Level: %(before)s → %(now)s") % {"before": before, "now": now},
        reason,
        tint,
        href=reader.tab("bonuses"),
    )


def _claim(one: Happening, reader: Reader) -> _Told:
    href = f"/claims/{one.id}" if reader.may(Permission.CLAIMS_DECIDE) else ""
    text = _(CLAIMS[one.what]) if one.what in CLAIMS else one.what
    return _Told("scan-line", text, money(one.amount), href=href)


def _message(one: Happening, reader: Reader) -> _Told:
    href = reader.tab("conversation") if reader.may(Permission.MESSAGES_READ) else ""
    words = one.words or ""
    if one.label == "in":
        name, symbol = HEARD.get(one.what, (mark("Wrote"), "message-circle"))
        return _Told(symbol, _(name), words="" if one.what == "start" else words, href=href)
    if one.label == "log":
        return _Told("sticky-note", _("Note for colleagues in the chat"), words=words, href=href)
    names = TOLD | MORE_TOLD
    name = names.get(one.what, mark("Answer of the bot"))
    return _Told("send", _("We wrote: %(what)s") % {"what": _(name)}, words=words, tint="acc", href=href)


def _appointment(one: Happening, reader: Reader) -> _Told:
    name, symbol, tint = APPOINTMENTS.get(one.what, (one.what, "calendar", ""))
    return _Told(symbol, _(name), one.label or "", tint, href=reader.tab("appointments"))


def _score(one: Happening, reader: Reader) -> _Told:
    tints = {SurveyGroup.PROMOTER: "good", SurveyGroup.PASSIVE: "", SurveyGroup.DETRACTOR: "bad"}
    text = _("Gave a score: %(score)s of 10") % {"score": num(one.amount)}
    href = reader.tab("nps") if reader.may(Permission.SURVEYS_READ) else ""
    return _Told("star", text, tint=tints[group_of(one.amount)], words=one.words or "", href=href)


def _segment(one: Happening, _reader: Reader) -> _Told:
    return _Told("tags", _("Put into the segment “%(name)s”") % {"name": one.label}, href=f"/segments/{one.id}")


def _category(one: Happening, _reader: Reader) -> _Told:
    rule = _("by the rule “%(name)s”") % {"name": one.words} if one.words else ""
    return _Told("tag", _("Category given"), rule)


def _step(one: Happening, reader: Reader) -> _Told:
    text = _(STEPS[one.what]) if one.what in STEPS else one.what
    via = _(VIAS[one.label]) if one.label in VIAS else ""
    return _Told("user-plus", text, via, href=reader.tab("registration"))


def _consent(one: Happening, reader: Reader) -> _Told:
    topic = _(CONSENTS[one.what]) if one.what in CONSENTS else one.what
    via = _(VIAS[one.label]) if one.label in VIAS else ""
    if one.amount:
        return _Told("check", _("%(topic)s: given") % {"topic": topic}, via, "good", href=reader.tab("registration"))
    return _Told("ban", _("%(topic)s: withdrawn") % {"topic": topic}, via, "warn", href=reader.tab("registration"))


def _note(one: Happening, reader: Reader) -> _Told:
    return _Told("sticky-note", _("Note"), words=one.words or "", href=reader.tab("notes"))


def _merge(one: Happening, _reader: Reader) -> _Told:
    text = _("Another card of theirs was merged into this one") if one.what == "took" else _("Merged into another card")
    return _Told("merge", text, _("taken back since") if one.amount else "", href=f"/customers/{one.ref}")


def _act(one: Happening, _reader: Reader) -> _Told:
    text = act_text(one.what, one.details)
    if one.what == "importance.set":
        return _Told("star", text, importance_name(one.label or ""))
    is_label = one.what.startswith(("segment.", "category."))
    return _Told("tag" if is_label else "pencil", text, "" if one.color else one.label or "")


_WORDS: dict[str, Callable[[Happening, Reader], _Told]] = {
    "receipt": _receipt,
    "bonuses": _bonuses,
    "tier": _tier,
    "claim": _claim,
    "message": _message,
    "appointment": _appointment,
    "score": _score,
    "segment": _segment,
    "category": _category,
    "label_act": _act,
    "step": _step,
    "consent": _consent,
    "note": _note,
    "merge": _merge,
    "act": _act,
}
