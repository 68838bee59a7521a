"""Adding somebody by hand with all that is known of them, in one transaction."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.customers.actions.categories import give_category, take_category
from loyalty.customers.actions.discounts import set_discount
from loyalty.customers.actions.importance import set_importance
from loyalty.customers.actions.notes import add_note
from loyalty.customers.actions.profile import add_customer, added_by, set_consent, update_profile
from loyalty.customers.queries import CustomerView, customer, find_by_phone
from loyalty.customers.queries.categories import category_chips, importance_of
from loyalty.customers.queries.consent_texts import newest_words
from loyalty.customers.rules import Profile, Topic, Via
from loyalty.segments.actions.segments import add_member, remove_member
from loyalty.segments.queries.segments import chips
from loyalty.staff.rules import Actor

IN_PERSON = "panel"
"""The source of a consent that somebody gave to a person of the panel."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a customer belongs, by hand. None: not this person's to say, and left as it is.

    discount_bp in basis points, importance a class or 0 for none.
    """

    categories: Collection[int] | None = None
    segments: Collection[int] | None = None
    importance: int | None = None
    discount_bp: int | None = None


@db.use_case
async def add_person(
    profile: Profile,
    standing: Standing,
    *,
    note: str = "",
    agreed: bool = False,
    shop_language: str,
    key: str,
    actor: Actor,
    now: datetime,
) -> tuple[CustomerView, bool]:
    """Add somebody with their labels, first note and consent; returns them, and whether they had been deleted.

    agreed: they said in person that they take advertising, to the words of today in their language. The same key of
    the same person of the panel adds once. Raises whatever its parts raise, and then nothing is saved.
    """
    if (added := await added_by(key, actor)) is not None:
        return await customer(added), False
    # Whoever has the phone and was not deleted is refused.
    was_deleted = profile.phone is not None and await find_by_phone(profile.phone) is not None
    person = await add_customer(profile, via=Via.PANEL, actor=actor, now=now, key=key)
    await keep_standing(person.id, standing, actor=actor, now=now, only_add=was_deleted)
    if note.strip():
        await add_note(person.id, note, actor=actor, now=now)
    if agreed:
        words = await newest_words(Topic.MARKETING, profile.language, shop_language)
        await set_consent(
            person.id,
            Topic.MARKETING,
            granted=True,
            source=IN_PERSON,
            text_version=words.mark,
            actor=actor,
            now=now,
        )
    return await customer(person.id), was_deleted


@db.use_case
async def correct_person(
    customer_id: int, profile: Profile, standing: Standing, *, actor: Actor, now: datetime
) -> CustomerView:
    """Correct a profile and where its owner belongs. Raises whatever its parts raise, and then nothing is saved."""
    await update_profile(customer_id, profile, actor=actor, now=now)
    await keep_standing(customer_id, standing, actor=actor, now=now)
    return await customer(customer_id)


@db.use_case
async def keep_standing(
    customer_id: int, standing: Standing, *, actor: Actor, now: datetime, only_add: bool = False
) -> None:
    """Make what is by hand what `standing` says; what rules gave is theirs. only_add: nothing is taken."""
    if standing.categories is not None:
        for chip in await category_chips(customer_id):
            if chip.id in standing.categories and not chip.is_in:
                await give_category(chip.id, [customer_id], actor=actor, now=now)
            elif chip.id not in standing.categories and chip.is_in and chip.rule is None and not only_add:
                await take_category(chip.id, [customer_id], actor=actor, now=now)
    if standing.segments is not None:
        for one in await chips(customer_id):
            if one.id in standing.segments and not one.is_in:
                await add_member(one.id, customer_id, actor=actor, now=now)
            elif one.id not in standing.segments and one.is_in and not only_add:
                await remove_member(one.id, customer_id, actor=actor, now=now)
    wanted = standing.importance
    # The class that a rule set, sent back by a form as it was, stays the rule's.
    if wanted is not None and (wanted or not only_add) and wanted != (await importance_of(customer_id)).id:
        await set_importance([customer_id], wanted, actor=actor, now=now)
    if standing.discount_bp is not None and (standing.discount_bp or not only_add):
        await set_discount(customer_id, standing.discount_bp, actor=actor, now=now)
