"""Whom the lines of a file are about, and what is known of them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from loyalty import db
from loyalty.bonuses.actions.opening import had_opening
from loyalty.clock import business_date
from loyalty.customers.rules import Profile
from loyalty.office.importing import Options
from loyalty.office.importing.people import Draft, Ground
from loyalty.office.importing.plans import PROFILE_FIELDS, Known, Match
from loyalty.shop.queries import locations, programme_at, shop

# Whoever looks for a merged card means the one it became. Indexes: the unique ones on phone and card number;
# customer_email_prefix. Of a family's e-mail it is enough to know that it is not one person's.
MATCHES = """
SELECT by_phone.id AS phone, by_card.id AS card, ARRAY(SELECT DISTINCT coalesce(m.merged_into_id, m.id) FROM (
        SELECT id, merged_into_id FROM customer WHERE lower(email) = lower(part.email) AND erased_at IS NULL
        ORDER BY id LIMIT 5) m ORDER BY 1 LIMIT 2) AS mails
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY part (phone, card, email, place)
    LEFT JOIN LATERAL (SELECT coalesce(merged_into_id, id) AS id FROM customer
        WHERE phone = part.phone) by_phone ON true
    LEFT JOIN LATERAL (SELECT coalesce(merged_into_id, id) AS id FROM customer
        WHERE card_number = part.card AND erased_at IS NULL) by_card ON true
ORDER BY part.place
"""
# Indexes: customer_category_customer, segment_member_customer, consent_customer, note_customer, bonus_entry_by_itself.
KNOWN = f"""
SELECT c.id, c.name, c.phone, c.email, c.gender, c.birthday, c.language, c.home_location_id, c.card_number AS card,
    c.deleted_at IS NOT NULL AS is_deleted, f.discount_bp, f.importance_id AS importance,
    ARRAY(SELECT category_id FROM customer_category WHERE customer_id = c.id) AS categories,
    ARRAY(SELECT segment_id FROM segment_member WHERE customer_id = c.id) AS segments,
    (SELECT granted FROM consent WHERE customer_id = c.id AND topic = 'marketing' ORDER BY id DESC LIMIT 1)
        AS marketing,
    part.is_credited AND {had_opening("c.id", "$4::text")} AS has_opening,
    part.note IS NOT NULL AND EXISTS (SELECT FROM note n
        WHERE n.customer_id = c.id AND n.text = part.note AND n.deleted_at IS NULL) AS has_note
FROM unnest($1::bigint[], $2::text[], $3::boolean[]) part (id, note, is_credited)
    JOIN customer c ON c.id = part.id JOIN customer_facts f ON f.customer_id = c.id
WHERE c.merged_into_id IS NULL AND c.erased_at IS NULL
"""
# A card that became another one leads there.
PRESENT = """
SELECT part.id, coalesce(c.merged_into_id, c.id) AS now FROM unnest($1::bigint[]) part (id)
    JOIN customer c ON c.id = part.id WHERE c.erased_at IS NULL
"""
# Of names alone: how many have each label is counted by those who show it.
LABELS = """
SELECT 'category' AS kind, id, name FROM category WHERE archived_at IS NULL
UNION ALL SELECT CASE WHEN conditions IS NULL THEN 'segment' ELSE 'asked' END, id, name FROM segment
    WHERE archived_at IS NULL
UNION ALL SELECT 'importance', id, name FROM importance_class WHERE archived_at IS NULL
"""


async def ground_of(options: Options, *, now: datetime) -> Ground:
    """What the lines of a file are read against."""
    chain, programme = await shop(), await programme_at(now)
    places: dict[str, int] = {}
    for place in await locations():
        # Of two with one name the one that is open comes first.
        places.setdefault(place.name.casefold(), place.id)
    labels: dict[str, dict[str, int]] = {"category": {}, "segment": {}, "asked": {}, "importance": {}}
    for row in await db.fetch(LABELS):
        labels[row["kind"]][row["name"].casefold()] = row["id"]
    return Ground(
        options=options,
        region=chain.region,
        language=chain.language,
        zone=chain.time_zone,
        today=business_date(now, chain.time_zone),
        now=now,
        bonus_step=programme.bonus_step,
        locations=places,
        categories=labels["category"],
        segments=labels["segment"],
        asked_segments=frozenset(labels["asked"]),
        importance=labels["importance"],
    )


async def matches_of(drafts: Sequence[Draft]) -> list[Match]:
    """Whom the phone, the card and, where nothing else is said, the e-mail of each line stand for."""
    rows = await db.fetch(
        MATCHES,
        [draft.phone for draft in drafts],
        [draft.card for draft in drafts],
        [draft.email if draft.is_known_by_mail else None for draft in drafts],
    )
    return [Match(row["phone"], row["card"], tuple(row["mails"])) for row in rows]


async def known_of(drafts: Mapping[int, Draft], *, import_id: int, own_phone: str | None) -> dict[int, Known]:
    """What is known of these customers, for the lines that are about them. Who was merged or erased is left out."""
    rows = await db.fetch(
        KNOWN,
        list(drafts),
        [draft.note for draft in drafts.values()],
        [draft.lot is not None for draft in drafts.values()],
        f"opening:{import_id}:%",
    )
    return {row["id"]: _known(row, own_phone) for row in rows}


async def present_ids(customer_ids: Sequence[int]) -> dict[int, int]:
    """The cards that these have become, themselves mostly. Who was erased is left out."""
    return {row["id"]: row["now"] for row in await db.fetch(PRESENT, sorted(set(customer_ids)))}


def _known(row: db.Row, own_phone: str | None) -> Known:
    return Known(
        id=row["id"],
        profile=Profile(**{name: row[name] for name in PROFILE_FIELDS}),
        card=row["card"],
        is_deleted=row["is_deleted"],
        discount_bp=row["discount_bp"],
        importance=row["importance"],
        categories=frozenset(row["categories"]),
        segments=frozenset(row["segments"]),
        marketing=row["marketing"],
        has_opening=row["has_opening"],
        is_own=own_phone is not None and own_phone == row["phone"],
        has_note=row["has_note"],
    )
