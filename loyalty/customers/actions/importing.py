"""Adding and correcting many people at once, as a file says. A statement does what one person's acts do one by one.

Each function joins a transaction that holds the customers who are there already, and keeps a journal of its own.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.customers.actions.addresses import add_addresses, keep_addresses
from loyalty.customers.actions.cards import free_card_numbers
from loyalty.customers.rules import NEVER, Profile, Topic, Via, birthday_code
from loyalty.staff.rules import Actor
from loyalty.webhooks.actions.deliveries import tell_each
from loyalty.webhooks.rules import EventType

SOURCE = "import"
"""Of consents that a file told of, and of which words they were given to."""


@dataclass(frozen=True, slots=True)
class NewPerson:
    """Somebody to be added. card: theirs already, None: one of ours. created_at: since when they are a customer."""

    profile: Profile
    card: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Change:
    """A profile as it is to be, and which fields of it are new."""

    customer_id: int
    profile: Profile
    fields: tuple[str, ...]


ADD = """
WITH part AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::date[], $7::text[], $8::int[],
        $9::timestamptz[], $10::smallint[]) WITH ORDINALITY part (name, phone, email, card_number, gender, birthday,
        language, home_location_id, created_at, birthday_code, place)
), person AS (
    INSERT INTO customer (name, phone, email, card_number, gender, birthday, language, home_location_id, created_at,
        created_via, created_by_id, updated_at, birthday_set_at)
    SELECT name, phone, email, card_number, gender, birthday, language, home_location_id, created_at, $11, $12::int,
        $13::timestamptz, CASE WHEN birthday IS NOT NULL THEN $13 END
    FROM part ORDER BY place ON CONFLICT DO NOTHING RETURNING id, card_number
), facts AS (
    INSERT INTO customer_facts (customer_id, created_at, sold, paid, receipts, visits, first_visit_at, last_visit_at,
        balance, debt, earned, burnt, expired, tier_id, birthday_code)
    SELECT person.id, part.created_at, 0, 0, 0, 0, $14::timestamptz, $14, 0, 0, 0, 0, 0, 0, part.birthday_code
    FROM person JOIN part USING (card_number)
), step AS (
    INSERT INTO registration_step (customer_id, step, via, at) SELECT id, 'added', $11, $13 FROM person
)
SELECT id, card_number FROM person
"""


async def add_people(people: Sequence[NewPerson], *, actor: Actor, now: datetime) -> list[int | None]:
    """Add people, each with a card; their ids in this order. None: somebody was given that phone or card meanwhile.

    As `add_customer` does, without a journal of its own and without a proof of any phone.
    """
    if not people:
        return []
    ours = iter(await free_card_numbers(sum(one.card is None for one in people)))
    cards = [one.card or next(ours) for one in people]
    profiles = [one.profile for one in people]
    rows = await db.fetch(
        ADD,
        [one.name for one in profiles],
        [one.phone for one in profiles],
        [one.email for one in profiles],
        cards,
        [one.gender for one in profiles],
        [one.birthday for one in profiles],
        [one.language for one in profiles],
        [one.home_location_id for one in profiles],
        [one.created_at for one in people],
        [birthday_code(one.birthday) for one in profiles],
        Via.IMPORT.value,
        actor.staff_id,
        now,
        NEVER,
    )
    added = {row["card_number"]: row["id"] for row in rows}
    ids = sorted(added.values())
    await add_addresses(ids, now=now)
    await tell_each(EventType.CUSTOMER_CREATED, [{"customer_id": one} for one in ids], now=now)
    return [added.get(card) for card in cards]


CHANGE = """
UPDATE customer c SET name = part.name, phone = part.phone, email = part.email, gender = part.gender,
    birthday = part.birthday, language = part.language, home_location_id = part.home_location_id, updated_at = $10,
    phone_verified_at = CASE WHEN 'phone' = ANY(string_to_array(part.fields, ',')) THEN NULL
        ELSE c.phone_verified_at END,
    birthday_set_at = CASE WHEN 'birthday' = ANY(string_to_array(part.fields, ','))
        THEN CASE WHEN part.birthday IS NOT NULL THEN $10::timestamptz END ELSE c.birthday_set_at END
FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::date[], $7::text[], $8::int[], $9::text[])
    part (id, name, phone, email, gender, birthday, language, home_location_id, fields)
WHERE c.id = part.id
"""
BIRTHDAYS = """
UPDATE customer_facts f SET birthday_code = part.code FROM unnest($1::bigint[], $2::smallint[]) part (id, code)
WHERE f.customer_id = part.id
"""
WHERE_WRITTEN_TO = frozenset({"phone", "email", "language"})


async def change_people(changes: Sequence[Change], *, now: datetime) -> None:
    """Correct profiles; each is told of. As `update_profile`; a phone that somebody has is a unique violation."""
    if not changes:
        return
    profiles = [one.profile for one in changes]
    await db.execute(
        CHANGE,
        [one.customer_id for one in changes],
        [one.name for one in profiles],
        [one.phone for one in profiles],
        [one.email for one in profiles],
        [one.gender for one in profiles],
        [one.birthday for one in profiles],
        [one.language for one in profiles],
        [one.home_location_id for one in profiles],
        [",".join(one.fields) for one in changes],
        now,
    )
    born = [one for one in changes if "birthday" in one.fields]
    await db.execute(
        BIRTHDAYS, [one.customer_id for one in born], [birthday_code(one.profile.birthday) for one in born]
    )
    moved = sorted(one.customer_id for one in changes if WHERE_WRITTEN_TO.intersection(one.fields))
    if moved:
        await keep_addresses(moved, now=now)
    told = [{"customer_id": one.customer_id, "fields": list(one.fields)} for one in changes]
    await tell_each(EventType.CUSTOMER_UPDATED, told, now=now)


NOTES = """
WITH part AS (
    SELECT * FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY part (customer_id, text, place)
)
INSERT INTO note (customer_id, staff_id, text, created_at) SELECT customer_id, $3, text, $4 FROM part ORDER BY place
RETURNING customer_id, id
"""


async def put_notes(notes: Sequence[tuple[int, str]], *, staff_id: int, now: datetime) -> dict[int, int]:
    """Write a note about each; their ids by customer."""
    rows = await db.fetch(NOTES, [one for one, _ in notes], [text for _, text in notes], staff_id, now)
    return {row["customer_id"]: row["id"] for row in rows}


UNDO_NOTES = """
UPDATE note SET deleted_at = $2 WHERE id = ANY($1::bigint[]) AND edited_at IS NULL AND deleted_at IS NULL RETURNING id
"""


async def undo_notes(note_ids: Sequence[int], *, now: datetime) -> set[int]:
    """Hide notes that nobody has edited since; which ones that were."""
    return {row["id"] for row in await db.fetch(UNDO_NOTES, list(note_ids), now)}


CONSENTS = """
INSERT INTO consent (customer_id, topic, granted, source, text_version, at)
SELECT part.id, $3, part.granted, $4, $4, $5 FROM unnest($1::bigint[], $2::boolean[]) part (id, granted)
ORDER BY part.id RETURNING customer_id, id
"""


async def put_consents(words: Sequence[tuple[int, bool]], *, now: datetime) -> dict[int, int]:
    """Keep what a file says of each person's word about advertising; ids of the consents by customer."""
    rows = await db.fetch(
        CONSENTS, [one for one, _ in words], [granted for _, granted in words], Topic.MARKETING.value, SOURCE, now
    )
    return {row["customer_id"]: row["id"] for row in rows}


UNDO_CONSENTS = """
INSERT INTO consent (customer_id, topic, granted, source, text_version, at)
SELECT c.customer_id, c.topic, false, $2, $2, $3 FROM consent c WHERE c.id = ANY($1::bigint[]) AND c.granted
    AND NOT EXISTS (SELECT FROM consent n WHERE n.customer_id = c.customer_id AND n.topic = c.topic AND n.id > c.id)
ORDER BY c.id
"""


async def undo_consents(consent_ids: Sequence[int], *, now: datetime) -> None:
    """Withdraw what a file said yes to, where its people have said nothing since. A "no" stays."""
    await db.execute(UNDO_CONSENTS, list(consent_ids), SOURCE, now)


SHOW = """
WITH back AS (
    UPDATE customer SET deleted_at = NULL, deleted_by_id = NULL, updated_at = $2
    WHERE id = ANY($1::bigint[]) AND deleted_at IS NOT NULL AND merged_into_id IS NULL AND erased_at IS NULL
    RETURNING id
), shown AS (
    UPDATE customer_facts SET is_hidden = false FROM back WHERE customer_id = back.id
)
SELECT id FROM back ORDER BY id
"""


async def show_people(held: Sequence[int], *, now: datetime) -> list[int]:
    """Take back that people were deleted, however long ago; who was. As `show_again`."""
    back = [row["id"] for row in await db.fetch(SHOW, list(held), now)]
    told = [{"customer_id": one, "fields": ["deleted_at"]} for one in back]
    await tell_each(EventType.CUSTOMER_UPDATED, told, now=now)
    return back
