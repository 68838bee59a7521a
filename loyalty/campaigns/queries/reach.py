"""Whom a message to many reaches: one statement for the preview and for the freezing, so that both say the same."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.campaigns.rules.drafts import CampaignTopic
from loyalty.campaigns.rules.states import Skip
from loyalty.conversations.channels import CAPABILITIES
from loyalty.conversations.message_types import BULK
from loyalty.conversations.queries.sending import manners
from loyalty.conversations.queries.types import message_type
from loyalty.segments.queries.audience import Audience, audience_statement

PATIENCE_SECONDS = 120

# One row a person: the account that they would be written to, or why they are not; and the lots that they draw. Of the
# accounts in the campaign's channels those count where something arrives, then those that take its topic, then those
# that may be written to at this moment: some channels only let us answer, unless a template goes instead. All is
# joined, so that a whole base is read from end to end and one person along the indexes: messenger_account_customer,
# consent_customer, conversation_pkey, message_capped.
SPLIT = """
SELECT place.id AS customer_id, place.account_id, CASE
    WHEN place.is_marked THEN 'excluded'
    WHEN place.known = 0 THEN 'no_account'
    WHEN NOT place.is_alive THEN 'blocked'
    WHEN {unwanted} THEN 'no_consent'
    WHEN NOT place.is_taking THEN 'not_taken'
    WHEN place.account_id IS NULL THEN 'window_closed'
    WHEN {missing} THEN 'variable_missing'
    WHEN {capped} THEN 'frequency_cap'
    END AS reason,
    (hashint8extended(place.id, {seed}) & 9223372036854775807) % 10000 < {control} AS is_drawn,
    {variant} AS variant
FROM (SELECT found.id, bool_or(found.is_marked) AS is_marked, count(a.id) AS known, bool_or(a.is_active) AS is_alive,
            bool_or(a.is_active AND a.{takes}) AS is_taking,
            min({rank} << 48 | a.id) FILTER (WHERE {open}) & ((1::bigint << 48) - 1) AS account_id
        FROM ({found}) found
            LEFT JOIN messenger_account a ON a.customer_id = found.id AND a.channel = ANY({channels})
        GROUP BY found.id) place
    {consents}
"""
# A lot of its own: whoever is drawn for the control group says nothing of who reads which wording.
VARIANT = "((hashint8extended(place.id, {seed} + {apart}) & 9223372036854775807) % {wordings})::smallint"
APART = 1 << 32
"""Seeds of campaigns are smaller: with this on top one is none of theirs."""
# The newest word of each.
CONSENTS = """
    LEFT JOIN consent said ON said.customer_id = place.id AND said.topic = 'marketing'
        AND NOT EXISTS (SELECT FROM consent later WHERE later.customer_id = said.customer_id
            AND later.topic = 'marketing' AND later.id > said.id)
"""
UNWANTED = "said.granted IS NOT TRUE"
CAPPED = """
{cap} > 0 AND (SELECT count(*) FROM message m WHERE m.customer_id = place.id AND m.topic = 'marketing'
    AND m.direction = 'out' AND m.created_at > {now} - make_interval(days => {days})
    AND m.status IN ('sending', 'sent', 'delivered', 'read', 'unknown')) >= {cap}
"""
MISSING = {
    "first_name": "EXISTS (SELECT FROM customer c WHERE c.id = place.id AND c.name = '')",
    "location": "EXISTS (SELECT FROM customer c WHERE c.id = place.id AND c.home_location_id IS NULL)",
}
"""Of whom it is not known."""
# Above the account's id in one number, so that the least of them is found without sorting anybody's accounts.
RANK = """
(CASE WHEN a.is_default AND {own_first} THEN 0 ELSE 64 END + array_position({channels}, a.channel::text))::bigint
"""
# Their last word is looked for only where it matters.
OPEN = """a.is_active AND a.{takes} AND ({template} OR a.channel <> ALL({windows})
    OR (SELECT v.heard_at FROM conversation v WHERE v.account_id = a.id) > {now} - make_interval(hours => {hours}))"""
COUNT = """
SELECT a.channel, split.reason, split.is_drawn, count(*) AS customers
FROM ({split}) split LEFT JOIN messenger_account a ON a.id = split.account_id GROUP BY 1, 2, 3
"""


@dataclass(frozen=True, slots=True)
class Manner:
    """How they are written to. channels: those that work here, in the order of preference; None: as the shop has it.

    needed: variables without which nobody is written to. has_template: one goes where a text may not be sent.
    control_bp, seed: who of them is left out by lot, to compare with. wordings: of which each of the others draws one.
    """

    topic: CampaignTopic = CampaignTopic.MARKETING
    channels: tuple[str, ...] | None = None
    needed: Sequence[str] = ()
    has_template: bool = False
    control_bp: int = 0
    seed: int = 0
    wordings: int = 1


@dataclass(frozen=True, slots=True)
class Reach:
    """Whom a message would reach now. channels: how many in each; skipped: how many are left out, by reason.

    control: how many are left out by lot of those who would be written to.
    """

    channels: dict[str, int]
    skipped: dict[Skip, int]
    control: int = 0

    @property
    def reached(self) -> int:
        """How many would be written to."""
        return sum(self.channels.values())

    @property
    def total(self) -> int:
        """The whole audience."""
        return self.reached + self.control + sum(self.skipped.values())


@dataclass(frozen=True, slots=True)
class Split:
    """The statement that says of everybody who is found where they are written to, or why not; with its parameters."""

    sql: str
    params: list[Any]
    channels: tuple[str, ...]


async def reach(audience: Audience, manner: Manner, *, working: Collection[str], now: datetime) -> Reach:
    """Whom a message to these people would reach. working: the channels that are set up here.

    Of a hundred thousand people it takes half a second, of a million some seconds.
    """
    split = await split_of(audience, manner, working=working, now=now)
    rows = await db.fetch_planned(COUNT.format(split=split.sql), *split.params, seconds=PATIENCE_SECONDS)
    reached: dict[str, int] = {}
    skipped: dict[Skip, int] = {}
    control = 0
    for row in rows:
        if row["reason"] is not None:
            # A person who is left out may have an account all the same: each reason is counted over all of them.
            skipped[Skip(row["reason"])] = skipped.get(Skip(row["reason"]), 0) + row["customers"]
        elif row["is_drawn"]:
            control += row["customers"]
        else:
            reached[row["channel"]] = row["customers"]
    return Reach(
        {one: reached[one] for one in split.channels if one in reached},
        {one: skipped[one] for one in Skip if one in skipped},
        control,
    )


async def used_channels(manner: Manner, working: Collection[str]) -> tuple[str, ...]:
    """Through which channels a message would go, in the order of preference."""
    wanted = manner.channels or (await message_type(BULK)).channels
    return tuple(one for one in wanted if one in working)


async def split_of(audience: Audience, manner: Manner, *, working: Collection[str], now: datetime) -> Split:
    """How an audience is split at this moment."""
    used = await used_channels(manner, working)
    found, params = await audience_statement(audience, now=now)
    cap = (await manners()).cap
    is_marketing = manner.topic is CampaignTopic.MARKETING

    def add(value: Any, kind: str) -> str:
        params.append(value)
        return f"${len(params)}::{kind}"

    windows = {name: able.window_hours for name, able in CAPABILITIES.items() if able.window_hours}
    parts = {
        "channels": add(list(used), "text[]"),
        "now": add(now, "timestamptz"),
        "windows": add(list(windows), "text[]"),
        "hours": add(min(windows.values(), default=0), "int"),
        # Whoever orders the channels for this one message means their order.
        "own_first": add(not manner.channels and (await message_type(BULK)).own_first, "boolean"),
        "template": add(manner.has_template, "boolean"),
        "seed": add(manner.seed, "bigint"),
        "control": add(manner.control_bp, "int"),
        "variant": "0::smallint",
        "takes": f"takes_{manner.topic.value}",
        "consents": CONSENTS if is_marketing else "",
        "unwanted": UNWANTED if is_marketing else "false",
        "missing": " OR ".join(MISSING[name] for name in manner.needed) or "false",
        "capped": "false",
    }
    if manner.wordings > 1:
        parts["variant"] = VARIANT.format(
            seed=parts["seed"], apart=add(APART, "bigint"), wordings=add(manner.wordings, "bigint")
        )
    if is_marketing and cap.messages:
        limits = {"cap": add(cap.messages, "int"), "days": add(cap.days, "int"), "now": parts["now"]}
        parts["capped"] = CAPPED.format(**limits)
    sql = SPLIT.format(found=found, rank=RANK.format(**parts).strip(), open=OPEN.format(**parts), **parts)
    return Split(sql, params, used)
