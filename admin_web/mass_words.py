"""Acts on many customers in words: what is done, how it stands, why somebody was left out."""

from admin_web.formats import bonuses, percent
from admin_web.i18n import gettext, mark
from admin_web.words import REASONS, reason_text
from loyalty.customers.rules import RESTORED_FOR
from loyalty.errors import Refused
from loyalty.office.mass import MassKind, MassState, RowState
from loyalty.office.queries.mass import MassView

TITLES = {
    MassKind.CATEGORY_GIVE: mark("Give the category “%(name)s”"),
    MassKind.CATEGORY_TAKE: mark("Take off the category “%(name)s”"),
    MassKind.SEGMENT_ADD: mark("Put into the segment “%(name)s”"),
    MassKind.SEGMENT_REMOVE: mark("Take out of the segment “%(name)s”"),
    MassKind.IMPORTANCE: mark("Set the importance “%(name)s”"),
    MassKind.DISCOUNT: mark("Set the personal discount to %(name)s"),
    MassKind.DELETE: mark("Delete from the client base"),
}
CREDIT = mark("Add %(amount)s bonuses to each")
DEBIT = mark("Take %(amount)s bonuses off each")
UNDOES = {
    MassKind.CATEGORY_GIVE: mark("They lose the category again, unless somebody gave it to them anew."),
    MassKind.CATEGORY_TAKE: mark("They have the category again."),
    MassKind.SEGMENT_ADD: mark("They leave the segment again, unless somebody put them into it anew."),
    MassKind.SEGMENT_REMOVE: mark("They are in the segment again."),
    MassKind.IMPORTANCE: mark("Each has the importance again that they had, unless somebody has changed it since."),
    MassKind.DISCOUNT: mark("Each has the discount again that they had, unless somebody has changed it since."),
    MassKind.BONUSES: mark(
        "The bonuses go back where they came from. Whoever has used theirs since is left as they are; the others are"
        " told."
    ),
    MassKind.DELETE: mark("They are in the client base again, as long as their time is not over."),
}
STATES = {
    MassState.RUNNING: (mark("Under way"), "acc"),
    MassState.PAUSED: (mark("Paused"), "warn"),
    MassState.DONE: (mark("Done"), "good"),
    MassState.CANCELLED: (mark("Ended early"), ""),
    MassState.UNDOING: (mark("Being undone"), "acc"),
    MassState.UNDONE: (mark("Undone"), ""),
}
ROW_STATES = {
    RowState.WAITING: (mark("Waiting"), ""),
    RowState.DONE: (mark("Done"), "good"),
    RowState.SKIPPED: (mark("Left out"), "warn"),
    RowState.FAILED: (mark("Did not work"), "bad"),
}
# Their sentences name a figure that a row does not keep.
SHORT = {
    "manual_credits_of_day": mark("The limit of a day for bonuses by hand was reached."),
    "needs_second_person": mark("So many bonuses in a day need a second person."),
    "not_enough_bonuses": mark("They have fewer bonuses than that."),
}


def title(view: MassView) -> str:
    """What is done, and that it is taken back."""
    name = percent(view.target) if view.kind is MassKind.DISCOUNT else view.target_name
    text = order_title(view.kind, name, view.amount)
    return gettext("Undo: %(act)s") % {"act": text} if view.undo_of is not None else text


def order_title(kind: MassKind, name: str, amount: int) -> str:
    """What is done to each."""
    if kind is MassKind.BONUSES:
        return gettext(CREDIT if amount > 0 else DEBIT) % {"amount": bonuses(abs(amount))}
    return gettext(TITLES[kind]) % {"name": name or gettext("None")}


def undo_text(view: MassView) -> str:
    """What taking it back means."""
    return gettext(UNDOES[view.kind])


def row_reason(reason: str | None) -> str:
    """Why somebody was left out."""
    if not reason:
        return ""
    if reason in SHORT:
        return gettext(SHORT[reason])
    days = {"days": RESTORED_FOR.days} if reason == "restore_is_over" else {}
    return reason_text(Refused(reason if reason in REASONS else "not_done", **days))
