"""Who may be the one that somebody is about to add: the same phone, e-mail or name."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.customers.queries import matching, reach
from loyalty.customers.rules import Search, SearchKind, clean_text, normalise_phone
from loyalty.errors import Invalid

FEW = 5
SHORTEST_NAME = 2
SHORTEST_PHONE = 7
"""Digits from which on a number that is not whole yet is looked for."""


@dataclass(frozen=True, slots=True)
class Similar:
    """Somebody like the one being typed. by: phone, email, name. deleted_at: they are not in the base any more."""

    id: int
    name: str
    phone: str | None
    card_number: str
    by: str
    deleted_at: datetime | None


COLUMNS = "c.id, c.name, c.phone, c.card_number"
# Merged and erased cards are nobody's any more.
LIVES = f"""
c.merged_into_id IS NULL AND c.erased_at IS NULL AND c.id IS DISTINCT FROM {{besides}}
AND {reach.within("c.id", "{within}")}
"""
LIVES_HERE = LIVES.format(besides="$1", within="$6")
# Indexes: the unique one of the phone, customer_phone_trigrams, customer_email_prefix.
BY_CONTACT = f"""
(SELECT {COLUMNS}, 'phone' AS by, c.deleted_at FROM customer c WHERE c.phone = $2 AND {LIVES_HERE} LIMIT $5)
UNION ALL
(SELECT {COLUMNS}, 'phone', c.deleted_at FROM customer c WHERE c.phone LIKE $3 AND {LIVES_HERE} ORDER BY c.id LIMIT $5)
UNION ALL
(SELECT {COLUMNS}, 'email', c.deleted_at FROM customer c WHERE lower(c.email) = lower($4) AND {LIVES_HERE}
ORDER BY c.id LIMIT $5)
"""
# The same words in whatever order and alphabet. The condition of a search by name narrows it down by
# customer_search_trigrams.
WORDS = "SELECT array_agg(word ORDER BY word) FROM regexp_split_to_table(romanize_name(fold_name({name})), ' ') word"


async def similar(
    *,
    name: str,
    phone: str,
    email: str,
    region: str,
    by_part: bool,
    besides: int | None = None,
    within: Collection[int] | None = None,
) -> list[Similar]:
    """Up to FEW people who may be the one being typed, the likeliest first; deleted ones are among them.

    The phone in any spelling; a part of it only with `by_part`, for those who may see phones. besides: the customer
    being corrected. within: only those whom these locations reach, None for all.
    """
    places = None if within is None else list(within)
    whole, part = _numbers(phone, region)
    pattern = f"%{part}%" if part and by_part else None
    rows = await db.fetch(BY_CONTACT, besides, whole, pattern, clean_text(email[:300]) or None, FEW, places)
    # Of one who is found twice the first counts.
    nearest = list({row["id"]: Similar(**row) for row in reversed(rows)}.values())[::-1]
    called = clean_text(name[:200])
    if len(called) >= SHORTEST_NAME and len(nearest) < FEW:
        known = {one.id for one in nearest}
        nearest += [one for one in await _of_the_same_name(called, besides, places) if one.id not in known]
    return nearest[:FEW]


async def _of_the_same_name(name: str, besides: int | None, places: list[int] | None) -> list[Similar]:
    condition, params = await matching(Search(SearchKind.NAME, name))
    if not condition:
        return []
    own, whose, where = (f"${len(params) + number}" for number in (1, 2, 3))
    rows = await db.fetch(
        f"SELECT {COLUMNS}, 'name' AS by, c.deleted_at FROM customer c WHERE {condition}"
        f" AND ({WORDS.format(name='c.name')}) = ({WORDS.format(name=own)})"
        f" AND {LIVES.format(besides=whose, within=where)}"
        f" ORDER BY c.deleted_at IS NOT NULL, c.id LIMIT {2 * FEW}",
        *params,
        name,
        besides,
        places,
    )
    return [Similar(**row) for row in rows]


def _numbers(text: str, region: str) -> tuple[str | None, str | None]:
    """A phone as E.164 when it is whole, and else its digits when there are enough to look for."""
    try:
        return normalise_phone(text, region), None
    except Invalid:
        digits = "".join(char for char in text[:40] if char.isascii() and char.isdigit())
        return None, digits if len(digits) >= SHORTEST_PHONE else None
