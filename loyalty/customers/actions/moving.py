"""What goes with a person when two cards of theirs become one, and comes back when that was a mistake.

The survivor's own words win and gaps are filled; a no on either card is a no. The other card stays, as a way to this
one.
"""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from loyalty import db
from loyalty.customers.actions.addresses import count_reach, keep_addresses
from loyalty.customers.actions.handing import hand_back, hand_over
from loyalty.customers.queries import IS_MESSENGER
from loyalty.customers.rules import birthday_code
from loyalty.errors import NotFound

HANDED = ("note",)

# By rising id. Whoever waits for a card that was merged meanwhile is told so by `lock_customer`.
HOLD = """
SELECT customer_id FROM customer_facts WHERE customer_id = ANY($1::bigint[]) ORDER BY customer_id FOR NO KEY UPDATE
"""
STANDING = """
SELECT c.id, c.phone, c.phone_verified_at, c.email, c.gender, c.birthday, c.birthday_set_at, c.home_location_id,
    c.entry_link_id, f.discount_bp, f.discount_rule_id, f.importance_id, f.importance_rule_id
FROM customer c JOIN customer_facts f ON f.customer_id = c.id WHERE c.id = ANY($1::bigint[])
"""
LABELS = (("discount_bp", "discount_rule_id"), ("importance_id", "importance_rule_id"))
"""Facts that somebody decided, with the rule that did; 0 is none."""


async def hold_cards(customer_ids: Sequence[int]) -> None:
    """Hold these customers until the transaction ends, merged ones too. Raises NotFound("customer")."""
    held = await db.fetch(HOLD, list(customer_ids))
    if len(held) != len(set(customer_ids)):
        raise NotFound("customer")


async def move(merged_id: int, survivor_id: int, *, now: datetime) -> dict[str, Any]:
    """Make one card the way to another: profile, places, words about topics, notes, answers, categories.

    Returns what is needed to take it back. Joins the caller's transaction, which holds both.
    """
    rows = {row["id"]: row for row in await db.fetch(STANDING, [merged_id, survivor_id])}
    remembered: dict[str, Any] = {
        "rows": await hand_over(HANDED, merged_id, survivor_id),
        "answers": await _move_answers(merged_id, survivor_id),
        "categories": await _move_categories(merged_id, survivor_id),
        "consents": await _move_consents(merged_id, survivor_id, now),
        "links": await _move_links(merged_id, survivor_id, now),
        "profile": _filled(rows[merged_id], rows[survivor_id]),
        "labels": await _move_labels(rows[merged_id], rows[survivor_id]),
    }
    remembered["accounts"] = await _move_accounts(merged_id, survivor_id, remembered["profile"])
    await _fill(merged_id, survivor_id, remembered["profile"], now)
    await keep_addresses([merged_id, survivor_id], now=now)
    remembered["silenced"] = await _silence(survivor_id)
    remembered["followers"] = await _lead(merged_id, survivor_id, now)
    return remembered


async def move_back(merged_id: int, survivor_id: int, remembered: dict[str, Any], *, now: datetime) -> None:
    """Take `move` back: what went over and is still there. What came since stays with the survivor."""
    await db.execute(SEPARATE, merged_id, remembered["followers"], now)
    await hand_back(remembered["rows"], survivor_id, merged_id)
    await db.execute(ANSWERS_BACK, survivor_id, merged_id, remembered["answers"])
    await db.execute(CATEGORIES_BACK, survivor_id, merged_id, db.to_json(remembered["categories"]))
    await db.execute("DELETE FROM consent WHERE id = ANY($1::bigint[])", remembered["consents"])
    await db.execute(LINKS_BACK, survivor_id, merged_id, remembered["links"]["rows"], remembered["links"]["closed"])
    await _unfill(merged_id, survivor_id, remembered["profile"], now)
    await _labels_back(merged_id, survivor_id, remembered["labels"])
    await db.execute(ACCOUNTS_BACK, survivor_id, merged_id, [one for one, _ in remembered["accounts"]])
    # Their first one is theirs to be written to again; whoever was given a default since keeps it.
    await db.execute(DEFAULTS, [survivor_id, merged_id], [one for one, was in remembered["accounts"] if was])
    for topic, accounts in remembered["silenced"].items():
        await db.execute(f"UPDATE messenger_account SET takes_{topic} = true WHERE id = ANY($1::bigint[])", accounts)
    await keep_addresses([merged_id, survivor_id], now=now)


# ------------------------------------------------------------------------------------------- the profile


def _filled(merged: db.Row, survivor: db.Row) -> dict[str, Any]:
    """What of the other card's profile fills a gap of the survivor's, as JSON keeps it."""
    found: dict[str, Any] = {}
    if survivor["phone"] is None and merged["phone"] is not None:
        found |= {"phone": merged["phone"], "phone_verified_at": merged["phone_verified_at"]}
    if survivor["email"] is None and merged["email"] is not None:
        found["email"] = merged["email"]
    # A birthday goes with the day since when it is known: gifts hang on it.
    if survivor["birthday"] is None and merged["birthday"] is not None:
        found |= {name: merged[name] for name in ("birthday", "birthday_set_at")}
    for name in ("gender", "home_location_id", "entry_link_id"):
        if survivor[name] is None and merged[name] is not None:
            found[name] = merged[name]
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in found.items()}


# A phone is one person's: it leaves the one card before it comes to the other. So does the e-mail, with its place.
LEAVE = """
UPDATE customer SET phone = CASE WHEN $2 THEN NULL ELSE phone END,
    phone_verified_at = CASE WHEN $2 THEN NULL ELSE phone_verified_at END,
    email = CASE WHEN $3 THEN NULL ELSE email END, updated_at = $4
WHERE id = $1
"""
FILL = """
WITH facts AS (
    UPDATE customer_facts SET birthday_code = CASE WHEN $5::date IS NULL THEN birthday_code ELSE $6::smallint END
    WHERE customer_id = $1
)
UPDATE customer SET phone = coalesce(phone, $2), email = coalesce(email, $4), gender = coalesce(gender, $8),
    phone_verified_at = CASE WHEN phone IS NULL THEN $3::timestamptz ELSE phone_verified_at END,
    birthday = coalesce(birthday, $5), birthday_set_at = coalesce(birthday_set_at, $7),
    home_location_id = coalesce(home_location_id, $9), entry_link_id = coalesce(entry_link_id, $10),
    updated_at = $11
WHERE id = $1
"""


async def _fill(merged_id: int, survivor_id: int, filled: dict[str, Any], now: datetime) -> None:
    await db.execute(LEAVE, merged_id, "phone" in filled, "email" in filled, now)
    birthday = date.fromisoformat(filled["birthday"]) if "birthday" in filled else None
    await db.execute(
        FILL,
        survivor_id,
        filled.get("phone"),
        _moment(filled.get("phone_verified_at")),
        filled.get("email"),
        birthday,
        birthday_code(birthday),
        _moment(filled.get("birthday_set_at")),
        filled.get("gender"),
        filled.get("home_location_id"),
        filled.get("entry_link_id"),
        now,
    )


# A field that somebody has changed since is the survivor's own by now.
EMPTY = """
WITH person AS (
    UPDATE customer SET phone = nullif(phone, $2), email = nullif(email, $3), gender = nullif(gender, $4),
        phone_verified_at = CASE WHEN phone = $2 THEN NULL ELSE phone_verified_at END,
        birthday = nullif(birthday, $5::date),
        birthday_set_at = CASE WHEN birthday = $5 THEN NULL ELSE birthday_set_at END,
        home_location_id = nullif(home_location_id, $6), entry_link_id = nullif(entry_link_id, $7), updated_at = $8
    WHERE id = $1 RETURNING id, birthday
)
UPDATE customer_facts SET birthday_code = coalesce(extract(month FROM birthday) * 100 + extract(day FROM birthday), 0)
FROM person WHERE customer_id = person.id
"""
GIVE_BACK = """
UPDATE customer SET email = coalesce(email, $4), phone_verified_at = CASE WHEN mine.phone IS NULL THEN phone_verified_at
        ELSE $3::timestamptz END, phone = coalesce(customer.phone, mine.phone)
FROM (SELECT CASE WHEN NOT EXISTS (SELECT FROM customer WHERE phone = $2) THEN $2::text END AS phone) mine
WHERE id = $1
"""


async def _unfill(merged_id: int, survivor_id: int, filled: dict[str, Any], now: datetime) -> None:
    birthday = date.fromisoformat(filled["birthday"]) if "birthday" in filled else None
    names = ("phone", "email", "gender")
    places = (filled.get("home_location_id"), filled.get("entry_link_id"))
    await db.execute(EMPTY, survivor_id, *[filled.get(name) for name in names], birthday, *places, now)
    if "phone" in filled or "email" in filled:
        proven = _moment(filled.get("phone_verified_at"))
        await db.execute(GIVE_BACK, merged_id, filled.get("phone"), proven, filled.get("email"))


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


# What was decided about the person by hand or by rule: the survivor's own, else the other's.
LABEL = """
UPDATE customer_facts SET discount_bp = $2, discount_rule_id = $3, importance_id = $4, importance_rule_id = $5
WHERE customer_id = $1
"""


async def _move_labels(merged: db.Row, survivor: db.Row) -> dict[str, list[int]]:
    names = [name for pair in LABELS for name in pair]
    after = [value for pair in LABELS for value in _pair(survivor if survivor[pair[0]] else merged, pair)]
    await db.execute(LABEL, survivor["id"], *after)
    await db.execute(LABEL, merged["id"], *[0] * len(names))
    return {
        "merged": [merged[name] for name in names],
        "survivor": [survivor[name] for name in names],
        "after": after,
    }


def _pair(row: db.Row, names: tuple[str, str]) -> tuple[int, int]:
    return row[names[0]], row[names[1]]


async def _labels_back(merged_id: int, survivor_id: int, remembered: dict[str, list[int]]) -> None:
    rows = {row["id"]: row for row in await db.fetch(STANDING, [merged_id, survivor_id])}
    values: list[int] = []
    for place, pair in enumerate(LABELS):
        now_there = _pair(rows[survivor_id], pair)
        was, after = (tuple(remembered[name][2 * place : 2 * place + 2]) for name in ("survivor", "after"))
        values += was if now_there == after else now_there
    await db.execute(LABEL, survivor_id, *values)
    await db.execute(LABEL, merged_id, *remembered["merged"])


# ------------------------------------------------------------------------------------------- places and words

# Messengers go, and the phone or e-mail that goes with the profile; one that stays keeps its place. Two statements: the
# base allows one default a person at any moment.
NO_DEFAULT = """
UPDATE messenger_account SET is_default = false WHERE customer_id = $1 AND is_default AND EXISTS
    (SELECT FROM messenger_account WHERE customer_id = $2 AND is_default) RETURNING id
"""
ACCOUNTS = f"""
UPDATE messenger_account SET customer_id = $2 WHERE customer_id = $1
    AND ({IS_MESSENGER} OR (channel = 'sms' AND address = $3) OR (channel = 'email' AND address = $4))
RETURNING id, is_default
"""
ACCOUNTS_BACK = """
UPDATE messenger_account SET customer_id = $2, is_default = false
WHERE customer_id = $1 AND id = ANY($3::bigint[]) AND channel NOT IN ('sms', 'email')
"""
# Of each person one default: whichever they have, else the one that was it, else the oldest that can be written to.
DEFAULTS = f"""
UPDATE messenger_account SET is_default = true WHERE id IN (SELECT DISTINCT ON (customer_id) id FROM messenger_account a
    WHERE customer_id = ANY($1::bigint[]) AND {IS_MESSENGER} AND NOT EXISTS (SELECT FROM messenger_account one
        WHERE one.customer_id = a.customer_id AND one.is_default)
    ORDER BY customer_id, id = ANY($2::bigint[]) DESC, is_active DESC, id)
"""


async def _move_accounts(merged_id: int, survivor_id: int, filled: dict[str, Any]) -> list[tuple[int, bool]]:
    """(account, whether it was the default) of those that went over."""
    were = {row["id"] for row in await db.fetch(NO_DEFAULT, merged_id, survivor_id)}
    rows = await db.fetch(ACCOUNTS, merged_id, survivor_id, filled.get("phone"), filled.get("email"))
    return [(row["id"], row["is_default"] or row["id"] in were) for row in rows]


# The newest word on each topic, of both. What only the other card was asked is its person's word; where they differ the
# no is said again, so that it is the newest.
CONSENTS = """
WITH word AS (
    SELECT DISTINCT ON (customer_id, topic) customer_id, topic, granted, source, text_version, at
    FROM consent WHERE customer_id IN ($1, $2) ORDER BY customer_id, topic, id DESC
)
INSERT INTO consent (customer_id, topic, granted, source, text_version, at)
SELECT $2, other.topic, other.granted, CASE WHEN own.topic IS NULL THEN other.source ELSE 'merge' END,
    other.text_version, CASE WHEN own.topic IS NULL THEN other.at ELSE $3 END
FROM (SELECT * FROM word WHERE customer_id = $1) other LEFT JOIN (SELECT * FROM word WHERE customer_id = $2) own
    USING (topic)
WHERE own.topic IS NULL OR (own.granted AND NOT other.granted) RETURNING id
"""
# Where the joined word is a no, no place of theirs takes the topic, whatever was said there before.
SILENCE = """
UPDATE messenger_account SET takes_{topic} = false WHERE customer_id = $1 AND takes_{topic} AND (SELECT NOT granted
    FROM consent WHERE customer_id = $1 AND topic = '{topic}' ORDER BY id DESC LIMIT 1) RETURNING id
"""
SILENCED = ("marketing", "surveys")


async def _move_consents(merged_id: int, survivor_id: int, now: datetime) -> list[int]:
    return [row["id"] for row in await db.fetch(CONSENTS, merged_id, survivor_id, now)]


async def _silence(survivor_id: int) -> dict[str, list[int]]:
    """Which accounts no longer take which topic."""
    return {
        topic: [row["id"] for row in await db.fetch(SILENCE.format(topic=topic), survivor_id)] for topic in SILENCED
    }


# An answer that the survivor gave too stays where it is.
ANSWERS = """
UPDATE answer SET customer_id = $2 WHERE customer_id = $1
    AND question_id NOT IN (SELECT question_id FROM answer WHERE customer_id = $2) RETURNING id
"""
ANSWERS_BACK = "UPDATE answer SET customer_id = $2 WHERE customer_id = $1 AND id = ANY($3::bigint[])"


async def _move_answers(merged_id: int, survivor_id: int) -> list[int]:
    return [row["id"] for row in await db.fetch(ANSWERS, merged_id, survivor_id)]


CATEGORIES = """
WITH gone AS (
    DELETE FROM customer_category WHERE customer_id = $1 RETURNING category_id, rule_id, staff_id, added_at
), came AS (
    INSERT INTO customer_category (category_id, customer_id, rule_id, staff_id, added_at)
    SELECT category_id, $2, rule_id, staff_id, added_at FROM gone
    ON CONFLICT (category_id, customer_id) DO NOTHING RETURNING category_id
)
SELECT gone.*, came.category_id IS NOT NULL AS is_new FROM gone LEFT JOIN came USING (category_id)
"""
CATEGORIES_BACK = """
WITH part AS (
    SELECT * FROM jsonb_to_recordset($3::jsonb)
        part (category_id int, rule_id int, staff_id int, added_at timestamptz, is_new boolean)
), gone AS (
    DELETE FROM customer_category USING part
    WHERE customer_category.category_id = part.category_id AND customer_id = $1 AND is_new
)
INSERT INTO customer_category (category_id, customer_id, rule_id, staff_id, added_at)
SELECT category_id, $2, rule_id, staff_id, added_at FROM part ON CONFLICT (category_id, customer_id) DO NOTHING
"""


async def _move_categories(merged_id: int, survivor_id: int) -> list[db.Row]:
    return [
        row | {"added_at": row["added_at"].isoformat()} for row in await db.fetch(CATEGORIES, merged_id, survivor_id)
    ]


# Whether an account of the one is the other's card needs no answer any more.
LINKS = """
WITH closed AS (
    UPDATE link_request SET state = 'accepted', decided_at = $3 FROM messenger_account a
    WHERE a.id = link_request.account_id AND state = 'open'
        AND link_request.customer_id IN ($1, $2) AND a.customer_id IN ($1, $2)
    RETURNING link_request.id
)
SELECT ARRAY(SELECT id FROM closed) AS closed
"""
LINK_ROWS = "UPDATE link_request SET customer_id = $2 WHERE customer_id = $1 RETURNING id"
LINKS_BACK = """
UPDATE link_request SET customer_id = CASE WHEN id = ANY($3::bigint[]) THEN $2 ELSE customer_id END,
    state = CASE WHEN id = ANY($4::bigint[]) THEN 'open' ELSE state END,
    decided_at = CASE WHEN id = ANY($4) THEN NULL ELSE decided_at END
WHERE customer_id IN ($1, $2) AND (id = ANY($3) OR id = ANY($4))
"""


async def _move_links(merged_id: int, survivor_id: int, now: datetime) -> dict[str, list[int]]:
    closed = await db.fetch_value(LINKS, merged_id, survivor_id, now)
    rows = await db.fetch(LINK_ROWS, merged_id, survivor_id)
    return {"closed": closed, "rows": [row["id"] for row in rows]}


# ------------------------------------------------------------------------------------------- the way

# Whoever was merged into this card before is led to the survivor straight away: every way is one step long.
LEAD = """
WITH followers AS (
    UPDATE customer SET merged_into_id = $2 WHERE merged_into_id = $1 RETURNING id
), person AS (
    UPDATE customer SET merged_into_id = $2, updated_at = $3 WHERE id = $1
), hidden AS (
    UPDATE customer_facts SET is_hidden = true, birthday_code = 0 WHERE customer_id = $1
)
SELECT ARRAY(SELECT id FROM followers) AS ids
"""
SEPARATE = """
WITH followers AS (
    UPDATE customer SET merged_into_id = $1 WHERE id = ANY($2::bigint[])
), person AS (
    UPDATE customer SET merged_into_id = NULL, updated_at = $3 WHERE id = $1 RETURNING id, birthday, deleted_at
)
UPDATE customer_facts SET is_hidden = person.deleted_at IS NOT NULL,
    birthday_code = coalesce(extract(month FROM birthday) * 100 + extract(day FROM birthday), 0)
FROM person WHERE customer_id = person.id
"""


async def _lead(merged_id: int, survivor_id: int, now: datetime) -> list[int]:
    ids: list[int] = await db.fetch_value(LEAD, merged_id, survivor_id, now)
    await count_reach([merged_id, survivor_id])
    return ids
