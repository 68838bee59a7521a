"""Whom a message to many reaches: one statement for the preview and for the freezing, so that both say the same."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.campaigns.rules import Skip
from loyalty.conversations.channels import CAPABILITIES
from loyalty.conversations.message_types import BULK
from loyalty.conversations.queries.sending import manners
from loyalty.conversations.queries.types import message_type
from loyalty.segments.queries.base import Look, base_statement
from loyalty.segments.rules.trees import Condition, Group

# One row a person: the account that they would be written to, or why they are not. Of the accounts in the shop's
# channels those count where something arrives, then those that take advertising, then those that may be written to at
# this moment: some channels only let us answer. Indexes: messenger_account_customer, conversation_pkey,
# consent_customer, message_capped.
SPLIT = """
SELECT found.id AS customer_id, place.account_id, place.channel, CASE
    WHEN found.is_marked THEN 'excluded'
    WHEN place.known = 0 THEN 'no_account'
    WHEN place.alive = 0 THEN 'blocked'
    WHEN said.granted IS NOT TRUE THEN 'no_consent'
    WHEN place.taking = 0 THEN 'not_taken'
    WHEN place.account_id IS NULL THEN 'window_closed'
    WHEN {cap} > 0 AND (SELECT count(*) FROM message m WHERE m.customer_id = found.id AND m.topic = 'marketing'
        AND m.direction = 'out' AND m.created_at > {now} - make_interval(days => {days})
        AND m.status IN ('sending', 'sent', 'delivered', 'read', 'unknown')) >= {cap} THEN 'frequency_cap'
    END AS reason
FROM ({found}) found
    CROSS JOIN LATERAL (SELECT count(*) AS known, count(*) FILTER (WHERE a.is_active) AS alive,
            count(*) FILTER (WHERE a.is_active AND a.takes_marketing) AS taking,
            (array_agg(a.id ORDER BY {order}) FILTER (WHERE {open}))[1] AS account_id,
            (array_agg(a.channel ORDER BY {order}) FILTER (WHERE {open}))[1] AS channel
        FROM messenger_account a LEFT JOIN conversation v ON v.account_id = a.id
        WHERE a.customer_id = found.id AND a.channel = ANY({channels})) place
    LEFT JOIN LATERAL (SELECT c.granted FROM consent c WHERE c.customer_id = found.id AND c.topic = 'marketing'
        ORDER BY c.id DESC LIMIT 1) said ON true
"""
ORDER = "a.is_default AND {own_first} DESC, array_position({channels}, a.channel::text), a.id"
OPEN = """a.is_active AND a.takes_marketing AND (a.channel <> ALL({windows})
    OR v.heard_at > {now} - make_interval(hours => {hours}))"""
COUNT = """
SELECT split.channel, split.reason, count(*) AS customers FROM ({split}) split GROUP BY 1, 2
"""
# By archived_at: segments are a few dozen.
EXCLUSIONS = "SELECT id FROM segment WHERE is_exclusion AND archived_at IS NULL ORDER BY id"


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is meant: everybody whom a look finds, or those of them who were named one by one."""

    look: Look = field(default_factory=Look)
    ids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a message would reach now. channels: how many in each; skipped: how many are left out, by reason."""

    channels: dict[str, int]
    skipped: dict[Skip, int]

    @property
    def reached(self) -> int:
        """How many would be written to."""
        return sum(self.channels.values())

    @property
    def total(self) -> int:
        """The whole audience."""
        return self.reached + sum(self.skipped.values())


@dataclass(frozen=True, slots=True)
class Split:
    """The statement that says of everybody who is found where they are written to, or why not; with its parameters."""

    sql: str
    params: list[Any]
    channels: tuple[str, ...]


async def reach(audience: Audience, *, channels: Collection[str], now: datetime) -> Reach:
    """Whom a message to these people would reach. channels: those that work here; of them the shop's are taken.

    Of a hundred thousand people it takes a second or two.
    """
    split = await split_of(audience, channels=channels, now=now)
    rows = await db.fetch_planned(COUNT.format(split=split.sql), *split.params)
    reached = {row["channel"]: row["customers"] for row in rows if row["reason"] is None}
    # A person who is left out may have an account all the same: each reason is counted over all of them.
    skipped: dict[Skip, int] = {}
    for row in rows:
        if row["reason"] is not None:
            skipped[Skip(row["reason"])] = skipped.get(Skip(row["reason"]), 0) + row["customers"]
    return Reach(
        {one: reached[one] for one in split.channels if one in reached},
        {one: skipped[one] for one in Skip if one in skipped},
    )


async def split_of(audience: Audience, *, channels: Collection[str], now: datetime) -> Split:
    """How an audience is split at this moment."""
    shown = await message_type(BULK)
    used = tuple(one for one in shown.channels if one in channels)
    found, params = await _found(audience, now)
    cap = (await manners()).cap

    def add(value: Any, kind: str) -> str:
        params.append(value)
        return f"${len(params)}::{kind}"

    windows = {name: able.window_hours for name, able in CAPABILITIES.items() if able.window_hours}
    parts = {
        "channels": add(list(used), "text[]"),
        "now": add(now, "timestamptz"),
        "cap": add(cap.messages, "int"),
        "days": add(cap.days, "int"),
        "windows": add(list(windows), "text[]"),
        "hours": add(min(windows.values(), default=0), "int"),
        "own_first": add(shown.own_first, "boolean"),
    }
    sql = SPLIT.format(found=found, order=ORDER.format(**parts), open=OPEN.format(**parts), **parts)
    return Split(sql, params, used)


async def _found(audience: Audience, now: datetime) -> tuple[str, list[Any]]:
    """Everybody who is meant, and whether a segment keeps them out of every campaign."""
    excluded = ".".join(str(row["id"]) for row in await db.fetch(EXCLUSIONS))
    marked = Group(parts=(Condition("segment", "any", excluded),)) if excluded else None
    sql, params = await base_statement(audience.look, marked=marked, now=now)
    if marked is None:
        sql = sql.replace(" AS id", " AS id, false AS is_marked", 1)
    if audience.ids is not None:
        params.append(list(audience.ids))
        sql += f" AND f.customer_id = ANY(${len(params)}::bigint[])"
    return sql, params
