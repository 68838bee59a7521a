"""Whom asking reaches: one statement for the preview, for the freezing and for the moment of asking."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.conversations.channels import CAPABILITIES
from loyalty.conversations.queries.types import message_type
from loyalty.segments.queries.audience import Audience, audience_statement
from loyalty.surveys.queries.programme import survey_programme
from loyalty.surveys.rules import KIND, Skip

# One row a person: the account in which they would be asked, or why they are not. Of the accounts in the type's
# channels those count where something arrives, then those that take surveys, then those that may be written to at this
# moment, freely or by a template. A question is welcome until somebody says no. Indexes: messenger_account_customer,
# conversation_pkey, consent_customer, survey_invitation_customer.
SPLIT = """
SELECT found.id AS customer_id, place.account_id, place.channel, CASE
    WHEN found.is_marked THEN 'excluded'
    WHEN place.known = 0 THEN 'no_account'
    WHEN place.alive = 0 THEN 'blocked'
    WHEN said.granted IS FALSE THEN 'no_consent'
    WHEN place.taking = 0 THEN 'not_taken'
    WHEN EXISTS (SELECT FROM survey_invitation other WHERE other.customer_id = found.id AND {other}
        AND (other.state = 'waiting' OR other.asked_at > {now} - make_interval(days => {pause}))) THEN 'asked_lately'
    WHEN place.account_id IS NULL THEN 'window_closed'
    END AS reason
FROM ({found}) found
    CROSS JOIN LATERAL (SELECT count(*) AS known, count(*) FILTER (WHERE a.is_active) AS alive,
            count(*) FILTER (WHERE a.is_active AND a.takes_surveys) AS taking,
            (array_agg(a.id ORDER BY {order}) FILTER (WHERE {open}))[1] AS account_id,
            (array_agg(a.channel ORDER BY {order}) FILTER (WHERE {open}))[1] AS channel
        FROM messenger_account a LEFT JOIN conversation v ON v.account_id = a.id
        WHERE a.customer_id = found.id AND a.channel = ANY({channels})) place
    LEFT JOIN LATERAL (SELECT c.granted FROM consent c WHERE c.customer_id = found.id AND c.topic = 'surveys'
        ORDER BY c.id DESC LIMIT 1) said ON true
"""
ORDER = "a.is_default AND {own_first} DESC, array_position({channels}, a.channel::text), a.id"
OPEN = """a.is_active AND a.takes_surveys AND (a.channel <> ALL({windows}) OR {has_template}
    OR v.heard_at > {now} - make_interval(hours => {hours}))"""
COUNT = """
SELECT split.channel, split.reason, count(*) AS customers FROM ({split}) split GROUP BY 1, 2
"""
HAS_TEMPLATE = "SELECT EXISTS (SELECT FROM message_template WHERE kind = $1 AND status = 'approved')"


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a question would reach now. channels: how many in each; skipped: how many are left out, by reason."""

    channels: dict[str, int]
    skipped: dict[Skip, int]

    @property
    def reached(self) -> int:
        """How many would be asked."""
        return sum(self.channels.values())

    @property
    def total(self) -> int:
        """Everybody who is meant."""
        return self.reached + sum(self.skipped.values())


@dataclass(frozen=True, slots=True)
class Split:
    """The statement that says of everybody who is found where they are asked, or why not; with its parameters."""

    sql: str
    params: list[Any]
    channels: tuple[str, ...]


async def reach(audience: Audience, *, channels: Collection[str], now: datetime) -> Reach:
    """Whom asking these people would reach. channels: those that work here; of them the type's are taken."""
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
    """How these people are split at this moment."""
    found, params = await audience_statement(audience, now=now)
    return await split_statement(found, params, channels=channels, now=now)


async def split_statement(
    found: str, params: list[Any], *, other: str = "true", channels: Collection[str] | None = None, now: datetime
) -> Split:
    """The split of whomever `found` selects: their `id` and `is_marked`. other: SQL of invitations that count."""
    shown = await message_type(KIND)
    used = tuple(one for one in shown.channels if channels is None or one in channels)
    pause = (await survey_programme()).draft.pause

    def add(value: Any, kind: str) -> str:
        params.append(value)
        return f"${len(params)}::{kind}"

    windows = {name: able.window_hours for name, able in CAPABILITIES.items() if able.window_hours}
    parts = {
        "channels": add(list(used), "text[]"),
        "now": add(now, "timestamptz"),
        "pause": add(pause.days, "int"),
        "windows": add(list(windows), "text[]"),
        "hours": add(min(windows.values(), default=0), "int"),
        "own_first": add(shown.own_first, "boolean"),
        "has_template": add(bool(await db.fetch_value(HAS_TEMPLATE, KIND)), "boolean"),
    }
    sql = SPLIT.format(found=found, other=other, order=ORDER.format(**parts), open=OPEN.format(**parts), **parts)
    return Split(sql, params, used)
