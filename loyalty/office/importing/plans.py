"""What becomes of the lines of a file of customers. Pure.

A dry run and the run decide by the same functions, over what the base says at their time.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loyalty.customers.rules import Profile
from loyalty.errors import Invalid
from loyalty.office.importing import Mode, RowState
from loyalty.office.importing.people import Draft, Ground

PROFILE_FIELDS = ("name", "phone", "email", "gender", "birthday", "language", "home_location_id")


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody who is there, as a decision needs them.

    marketing: their newest word about advertising. has_opening: an opening balance of another import. is_own: they
    are whoever brings the file in. has_note: the line's note stands on their card already.
    """

    id: int
    profile: Profile
    card: str
    is_deleted: bool = False
    discount_bp: int = 0
    importance: int = 0
    categories: frozenset[int] = frozenset()
    segments: frozenset[int] = frozenset()
    marketing: bool | None = None
    has_opening: bool = False
    is_own: bool = False
    has_note: bool = False


@dataclass(frozen=True, slots=True)
class Match:
    """Whom a line's phone, card and e-mail stand for: ids of cards as they are by now. mails: at most two."""

    phone: int | None = None
    card: int | None = None
    mails: tuple[int, ...] = ()

    def one(self, draft: Draft) -> int | None:
        """Who it is; None for somebody new. Raises Invalid where that cannot be told."""
        if self.phone is not None and self.card is not None and self.phone != self.card:
            raise Invalid("card", "card_is_of_another")
        if self.phone is not None and draft.card is not None and self.card is None:
            raise Invalid("card", "card_differs")
        if draft.is_known_by_mail and len(self.mails) > 1:
            raise Invalid("email", "mail_of_several")
        return self.phone or self.card or (self.mails[0] if draft.is_known_by_mail and self.mails else None)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to become of a line: a state, and what is written for it.

    reason, field: why it is refused, or what of it is left. profile: fields to change with their new values.
    """

    state: RowState
    reason: str | None = None
    field: str | None = None
    details: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    profile: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    restore: bool = False
    categories: tuple[int, ...] = ()
    segments: tuple[int, ...] = ()
    importance: int | None = None
    discount_bp: int | None = None
    note: str | None = None
    marketing: bool | None = None
    has_lot: bool = False


def refused(error: Invalid) -> Plan:
    """The line is left out because of a cell."""
    return Plan(RowState.REFUSED, error.reason, error.field, error.details)


def check_time(draft: Draft, ground: Ground) -> None:
    """Raise Invalid for bonuses whose last day has passed since the line was read."""
    if draft.lot is not None and draft.lot[2] is not None and draft.lot[2] <= ground.now:
        raise Invalid("opening_expires_on", "is_over")


def plan_new(draft: Draft, ground: Ground) -> Plan:
    """Somebody is added. A line without a name can only be about somebody who is there."""
    if draft.name is None:
        return Plan(RowState.REFUSED, "required", "name")
    return Plan(
        RowState.ADDED,
        categories=_ids(draft.categories, ground.categories),
        segments=_ids(draft.segments, ground.segments),
        importance=draft.importance,
        discount_bp=draft.discount_bp,
        note=draft.note,
        marketing=draft.marketing,
        has_lot=draft.lot is not None,
    )


def profile_new(draft: Draft, ground: Ground) -> Profile:
    """The profile of somebody who is added."""
    assert draft.name is not None, "`plan_new` has looked"
    language = draft.language or ground.language
    return Profile(draft.name, draft.phone, draft.email, draft.gender, draft.birthday, language, draft.home_location_id)


def plan_known(draft: Draft, known: Known, match: Match, ground: Ground) -> Plan:
    """Somebody who is there: by the mode their gaps are filled, the line wins, or nothing happens.

    Nobody's "no" to advertising becomes a "yes" by a file. Whoever had an opening balance gets no second one.
    """
    if ground.options.mode is Mode.LEAVE:
        return Plan(RowState.SAME, "left_as_it_is")
    wins = ground.options.mode is Mode.OVERWRITE
    profile = {name: value for name, value in _said(draft, match).items() if _differs(known, name, value, wins=wins)}
    plan = Plan(
        RowState.CHANGED,
        profile=profile,
        restore=known.is_deleted,
        categories=tuple(one for one in _ids(draft.categories, ground.categories) if one not in known.categories),
        segments=tuple(one for one in _ids(draft.segments, ground.segments) if one not in known.segments),
        importance=_setting(draft.importance, known.importance, wins=wins),
        discount_bp=_setting(draft.discount_bp, known.discount_bp, wins=wins),
        note=draft.note if not known.has_note else None,
        marketing=_marketing(said=draft.marketing, known=known.marketing, wins=wins),
        has_lot=draft.lot is not None and not known.has_opening,
        reason="has_opening_balance" if draft.lot is not None and known.has_opening else None,
        field="opening" if draft.lot is not None and known.has_opening else None,
    )
    if known.is_own and (plan.has_lot or plan.discount_bp is not None):
        return Plan(RowState.REFUSED, "own_account", "phone")
    return plan if _does_anything(plan, draft, ground) else Plan(RowState.SAME, plan.reason, plan.field)


def plan_twin(draft: Draft, head: RowState, known: Known | None, line: int, ground: Ground) -> Plan:
    """A further line of somebody: it only adds its lot. line: the number of their first one."""
    if head is RowState.REFUSED:
        return Plan(RowState.REFUSED, "line_was_refused", details={"line": line})
    if draft.lot is None:
        return Plan(RowState.SAME, "line_says_so", details={"line": line})
    if head is not RowState.ADDED:
        if ground.options.mode is Mode.LEAVE:
            return Plan(RowState.SAME, "left_as_it_is")
        if known is not None and known.has_opening:
            return Plan(RowState.SAME, "has_opening_balance", "opening")
        if known is not None and known.is_own:
            return Plan(RowState.REFUSED, "own_account", "phone")
    return Plan(RowState.CHANGED, has_lot=True)


def _said(draft: Draft, match: Match) -> dict[str, Any]:
    """Fields of a profile that a line fills. A number that led to them is theirs, on whichever card of theirs."""
    said = {name: getattr(draft, name) for name in PROFILE_FIELDS}
    if match.phone is not None:
        said["phone"] = None
    return {name: value for name, value in said.items() if value is not None}


def _differs(known: Known, name: str, value: Any, *, wins: bool) -> bool:
    before = getattr(known.profile, name)
    return before is None or (wins and before != value)


def _setting(said: int | None, known: int, *, wins: bool) -> int | None:
    return said if said is not None and said != known and (wins or not known) else None


def _marketing(*, said: bool | None, known: bool | None, wins: bool) -> bool | None:
    if said is None or said == known or (known is not None and (said or not wins)):
        return None
    return said


def _does_anything(plan: Plan, draft: Draft, ground: Ground) -> bool:
    made = any(name.casefold() not in ground.categories for name in draft.categories) or any(
        name.casefold() not in ground.segments for name in draft.segments
    )
    return bool(
        made
        or plan.profile
        or plan.restore
        or plan.categories
        or plan.segments
        or plan.importance is not None
        or plan.discount_bp is not None
        or plan.note
        or plan.marketing is not None
        or plan.has_lot
    )


def _ids(names: Sequence[str], known: Mapping[str, int]) -> tuple[int, ...]:
    """Ids of labels; one that is still to be made has none yet."""
    return tuple(known[name.casefold()] for name in names if name.casefold() in known)
