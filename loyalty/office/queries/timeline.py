"""Everything that happened to one person, newest first, out of every room."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from loyalty import db

PAGE_ROWS = 50
WORDS_LENGTH = 200
"""So much of a message or note is shown."""
SLACK = 20
"""Messages are walked by their ids, which follow their times but for a few places: so many more are put in order."""


class Group(StrEnum):
    """What somebody may want to see alone."""

    MONEY = "money"
    MESSAGES = "messages"
    VISITS = "visits"
    LABELS = "labels"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened. `kind` says what the other fields mean.

    receipt: what sale or refund, amount its sum, more the bonuses earned, less those burnt, ref the sale that is taken
    back. bonuses: what the kind of entry, label the event, amount. tier: what why, amount the tier after, more the one
    before. claim: what its state, amount. message: what the type, label in, out or log, words when the reader may read
    them. score: amount, words its comment. appointment: what its state, label who serves. segment, category: label its
    name, color; ref the rule's. step: what the step, label by which door. consent: what the topic, amount 1 for yes.
    note: words. merge: ref the other card, amount 1 when it was undone. act: what the act of the journal, label what it
    is about, details.
    """

    at: datetime
    kind: str
    id: int
    what: str
    amount: int
    more: int
    less: int
    ref: int | None
    label: str | None
    color: str | None
    words: str | None
    details: dict[str, Any]
    staff_name: str | None
    location_name: str | None


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a timeline: after the happening of that time, kind and id."""

    at: datetime
    kind: str
    id: int


@dataclass(frozen=True, slots=True)
class _Half:
    """One kind of happenings: what is read of which tables, under which conditions.

    `at` and `id`: the columns of its place. values: those of Happening's columns that are not their defaults.
    """

    group: Group
    at: str
    id: str
    values: dict[str, str]
    source: str
    where: str


COLUMNS = {
    "what": "''",
    "amount": "0::bigint",
    "more": "0::bigint",
    "less": "0::bigint",
    "ref": "NULL::bigint",
    "label": "NULL::text",
    "color": "NULL::text",
    "words": "NULL::text",
    "details": "NULL::jsonb",
    "staff_id": "NULL::int",
    "location_id": "NULL::int",
}
# Acts that stand in a timeline as what they did.
TOLD_OTHERWISE = (
    "customer.added",
    "customer.merged",
    "customer.unmerged",
    "consent.granted",
    "consent.withdrawn",
    "note.added",
    "bonuses.credited",
    "bonuses.debited",
    "tier.set",
)
_NOT_TOLD = ", ".join(f"'{action}'" for action in TOLD_OTHERWISE)
_IS_LABEL = "split_part(j.action, '.', 1) IN ('segment', 'category', 'importance', 'discount', 'tier')"
# A label that is still there stands here as such; what was given and is no more, as the act that gave it.
_STILL_THERE = """(
    j.action = 'segment.member_added' AND EXISTS (SELECT FROM segment_member m WHERE m.customer_id = card.id
        AND m.segment_id = (j.details ->> 'segment')::int AND m.added_at = j.at)
    OR j.action = 'category.given' AND EXISTS (SELECT FROM customer_category m WHERE m.customer_id = card.id
        AND m.category_id = (j.details ->> 'category')::int AND m.added_at = j.at))"""
_ACT = {
    "what": "j.action",
    "label": """coalesce(
        (SELECT name FROM segment WHERE id = (j.details ->> 'segment')::int),
        (SELECT name FROM category WHERE id = (j.details ->> 'category')::int),
        (SELECT name FROM importance_class WHERE id = (j.details ->> 'importance')::int),
        (SELECT nullif(title, '') FROM task WHERE id = (j.details ->> 'task')::bigint))""",
    "color": "(SELECT color FROM category WHERE id = (j.details ->> 'category')::int)",
    "details": "j.details",
    "staff_id": "j.staff_id",
}

# Each is read by an index that begins with the customer: receipt_customer, bonus_entry_by_itself,
# tier_change_customer, fiscal_claim_customer, messenger_account_customer with message_account, appointment_customer,
# survey_answer_customer, segment_member_customer, customer_category_customer, registration_step_customer,
# consent_customer, note_customer, merge_survivor and merge_merged, journal_entry_subject. Of receipts, claims,
# appointments and messages a page is read and no more; of the others a person has few.
HALVES = {
    "receipt": _Half(
        Group.MONEY,
        "r.at",
        "r.id",
        {
            "what": "r.kind",
            "amount": "r.total",
            "more": "r.earned",
            "less": "r.burnt",
            "ref": "r.original_id",
            "staff_id": "r.staff_id",
            "location_id": "r.location_id",
        },
        "receipt r",
        "r.customer_id = card.id",
    ),
    "bonuses": _Half(
        Group.MONEY,
        "e.at",
        "e.id",
        {
            "what": "e.kind",
            "label": "e.event",
            "amount": "e.amount",
            "staff_id": "e.staff_id",
            "location_id": "e.location_id",
        },
        "bonus_entry e",
        "e.customer_id = card.id AND e.receipt_id IS NULL",
    ),
    "tier": _Half(
        Group.MONEY,
        "t.at",
        "t.id",
        {"what": "t.reason", "amount": "t.tier_id", "more": "t.previous_tier_id", "staff_id": "t.staff_id"},
        "tier_change t",
        "t.customer_id = card.id",
    ),
    "claim": _Half(
        Group.MONEY,
        "k.created_at",
        "k.id",
        {"what": "k.state", "amount": "k.total", "staff_id": "k.staff_id", "location_id": "k.location_id"},
        "fiscal_claim k",
        "k.customer_id = card.id",
    ),
    "message": _Half(
        Group.MESSAGES,
        "m.created_at",
        "m.id",
        {
            "what": "m.kind",
            "label": "m.direction",
            "words": f"CASE WHEN $6::bool THEN left(m.content ->> 'text', {WORDS_LENGTH}) END",
            "staff_id": "m.staff_id",
        },
        # Of an account that was somebody else's before, what was said to this person.
        "messenger_account a JOIN LATERAL (SELECT * FROM message WHERE account_id = a.id AND created_at <= {until}"
        " AND (customer_id IS NULL OR customer_id = card.id) AND {before} ORDER BY id DESC LIMIT {walked}) m ON true",
        "a.customer_id = card.id",
    ),
    "appointment": _Half(
        Group.VISITS,
        "b.starts_at",
        "b.id",
        {
            "what": "b.state",
            "label": "(SELECT name FROM team_member WHERE id = b.team_member_id)",
            "staff_id": "b.created_by_id",
            "location_id": "b.location_id",
        },
        "appointment b",
        "b.customer_id = card.id",
    ),
    "score": _Half(
        Group.VISITS,
        "v.answered_at",
        "v.invitation_id",
        {
            "amount": "v.score::bigint",
            "words": f"left(v.comment, {WORDS_LENGTH})",
            "location_id": "v.location_id",
        },
        "survey_answer v",
        "v.customer_id = card.id",
    ),
    "segment": _Half(
        Group.LABELS,
        "m.added_at",
        "m.segment_id::bigint",
        {"label": "s.name", "staff_id": "m.staff_id"},
        "segment_member m JOIN segment s ON s.id = m.segment_id",
        "m.customer_id = card.id",
    ),
    "category": _Half(
        Group.LABELS,
        "m.added_at",
        "m.category_id::bigint",
        {
            "label": "s.name",
            "color": "s.color",
            "words": "(SELECT name FROM label_rule WHERE id = m.rule_id)",
            "staff_id": "m.staff_id",
        },
        "customer_category m JOIN category s ON s.id = m.category_id",
        "m.customer_id = card.id",
    ),
    "label_act": _Half(
        Group.LABELS,
        "j.at",
        "j.id",
        _ACT,
        "journal_entry j",
        f"j.subject_kind = 'customer' AND j.subject_id = card.id AND {_IS_LABEL} AND j.action NOT IN ({_NOT_TOLD})"
        f" AND NOT {_STILL_THERE}",
    ),
    "step": _Half(
        Group.CARD,
        "g.at",
        "g.id",
        {
            "what": "g.step",
            "label": "g.via",
            "staff_id": "CASE WHEN g.step = 'added' THEN (SELECT created_by_id FROM customer WHERE id = card.id) END",
        },
        "registration_step g",
        "g.customer_id = card.id",
    ),
    "consent": _Half(
        Group.CARD,
        "o.at",
        "o.id",
        {"what": "o.topic", "amount": "o.granted::int::bigint", "label": "o.source"},
        "consent o",
        "o.customer_id = card.id",
    ),
    "note": _Half(
        Group.CARD,
        "n.created_at",
        "n.id",
        {"words": f"left(n.text, {WORDS_LENGTH})", "staff_id": "n.staff_id"},
        "note n",
        "n.customer_id = card.id AND n.deleted_at IS NULL",
    ),
    "merge": _Half(
        Group.CARD,
        "g.at",
        "g.id::bigint",
        {
            "what": "CASE WHEN g.survivor_id = card.id THEN 'took' ELSE 'went' END",
            "ref": "CASE WHEN g.survivor_id = card.id THEN g.merged_id ELSE g.survivor_id END",
            "amount": "(g.undone_at IS NOT NULL)::int::bigint",
            "staff_id": "g.staff_id",
        },
        "merge g",
        "(g.survivor_id = card.id OR g.merged_id = card.id) AND card.id = $1",
    ),
    "act": _Half(
        Group.CARD,
        "j.at",
        "j.id",
        _ACT,
        "journal_entry j",
        f"j.subject_kind = 'customer' AND j.subject_id = card.id AND NOT {_IS_LABEL} AND j.action NOT IN ({_NOT_TOLD})",
    ),
}

# What stands on a card that was merged into this one is read with it. Index: customer_merged_into.
TIMELINE = """
WITH RECURSIVE card (id) AS (
    SELECT $1::bigint UNION SELECT c.id FROM customer c JOIN card ON c.merged_into_id = card.id
)
SELECT line.at, line.kind, line.id, line.what, line.amount, line.more, line.less, line.ref, line.label, line.color,
    line.words, line.details, s.name AS staff_name, l.name AS location_name
FROM ({halves} ORDER BY at DESC, kind DESC, id DESC LIMIT $5) line
    LEFT JOIN staff_member s ON s.id = line.staff_id LEFT JOIN location l ON l.id = line.location_id
ORDER BY line.at DESC, line.kind DESC, line.id DESC
"""
UNTIL = "coalesce($2::timestamptz, 'infinity')"


def statement(groups: Collection[Group]) -> str:
    """What reads a page: $1 customer, $2 to $4 place, $5 rows, and with messages $6 whether words are read."""
    halves = [_half(kind, half) for kind, half in HALVES.items() if not groups or half.group in groups]
    return TIMELINE.replace("{halves}", "\nUNION ALL\n".join(halves))


def _half(kind: str, half: _Half) -> str:
    """A page of one kind. Its place is compared as a whole; the time alone, too, for the index."""
    before = f"({half.at}, '{kind}', {half.id}) < ({UNTIL}, $3::text, $4::bigint)"
    columns = ", ".join(f"{half.values.get(name, default)} AS {name}" for name, default in COLUMNS.items())
    inside = before.replace("m.", "")
    source = half.source.format(until=UNTIL, before=inside, walked=f"$5::int + {SLACK}")
    return f"""(SELECT half.* FROM card CROSS JOIN LATERAL (
    SELECT {half.at} AS at, '{kind}' AS kind, {half.id} AS id, {columns}
    FROM {source} WHERE {half.where} AND {half.at} <= {UNTIL} AND {before}
    ORDER BY {half.at} DESC, {half.id} DESC LIMIT $5) half)"""


async def timeline(
    customer_id: int, *, groups: Collection[Group] = (), with_words: bool, before: Place | None = None
) -> tuple[list[Happening], Place | None]:
    """PAGE_ROWS happenings, the newest first, and where the next page begins. No groups: all of them.

    with_words: what was said in messages is read, too.
    """
    params: list[object] = [customer_id, *((before.at, before.kind, before.id) if before else (None, "", 0))]
    params.append(PAGE_ROWS + 1)
    if not groups or Group.MESSAGES in groups:
        params.append(with_words)
    rows = await db.fetch(statement(groups), *params)
    found = [Happening(**row | {"details": db.from_json(row["details"]) or {}}) for row in rows[:PAGE_ROWS]]
    last = found[-1] if len(rows) > PAGE_ROWS else None
    return found, Place(last.at, last.kind, last.id) if last else None
