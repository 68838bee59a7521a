"""What came of a campaign: counted from its recipients, their messages, what they wrote, opened, bought and were given.

Everybody counts as they were frozen. Who got a message counts among those who were to get one, delivered or not; a card
that became another one's counts as the card that it was, with what its owner buys since.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

from loyalty import db
from loyalty.campaigns.effect import Verdict, estimate
from loyalty.campaigns.queries.wordings import COUNTED, Wordings, arm_of, wordings_of
from loyalty.campaigns.rules.costs import ChannelCount, Cost, sum_known
from loyalty.errors import NotFound
from loyalty.money import money_of
from loyalty.shop.queries import programme_at

TELLS_OF_ARRIVING = frozenset({"whatsapp", "sms"})
TELLS_OF_READING = frozenset({"whatsapp"})
"""Channels that tell what became of a message after they took it; of the others nothing is known."""
CHARGED = ("sent", "unknown")
"""What a channel may have charged for. What it did not take, or reported as failed, it did not."""
LEFT_LATER = ("is_not_in_base", "too_late")
"""Reasons for which people are left out after the audience was divided: they stay in the group they were drawn for."""
REFUNDED_WITHIN = timedelta(days=14)
"""So long after the window refunds of its purchases still change the report; then it is final."""
PATIENCE_SECONDS = 600

# By the primary keys of campaign and recipient.
OF_CAMPAIGN = """
SELECT id, state, coalesce(started_at, created_at) AS began_at, finished_at, window_days, bonus, total, skipped, prices,
    1 + jsonb_array_length(coalesce(other_texts, '[]')) AS wordings,
    (SELECT count(*) FROM recipient WHERE campaign_id = campaign.id AND state = 'due')::int AS due
FROM campaign WHERE id = $1
"""
# A campaign's messages lie near one another among all others: between these, by the primary key of message.
MESSAGES = "SELECT min(message_id) AS first, max(message_id) AS last FROM recipient WHERE campaign_id = $1"
OUTCOMES = """
SELECT r.state = 'control' AS is_control, r.state = 'skipped' AS is_skipped, r.reason = ANY($2::text[]) AS left_later,
    m.channel, CASE WHEN m.status = 'cancelled' AND m.reason = 'campaign_paused' THEN 'queued' ELSE m.status END
        AS status, count(*)::int AS people, coalesce(sum(coalesce(m.units, 1)), 0)::int AS units
FROM recipient r LEFT JOIN message m ON m.id = r.message_id AND m.id BETWEEN $3 AND $4
WHERE r.campaign_id = $1 GROUP BY 1, 2, 3, 4, 5
"""
# Only chats in which anything was said since are looked into, by the primary key of conversation; then by
# message_account.
REPLIED = """
SELECT r.variant, count(*)::int AS people FROM recipient r JOIN message m ON m.id = r.message_id
    JOIN conversation v ON v.account_id = m.account_id AND v.heard_at >= coalesce(m.sent_at, m.created_at)
WHERE r.campaign_id = $1 AND m.id BETWEEN $3 AND $4 AND m.status IN ('sent', 'delivered', 'read', 'unknown')
    AND EXISTS (SELECT FROM message i WHERE i.account_id = m.account_id AND i.id > m.id
        AND i.direction = 'in' AND i.created_at >= coalesce(m.sent_at, m.created_at)
        AND ($2::timestamptz IS NULL OR i.created_at < $2))
GROUP BY 1
"""
# By the primary key of campaign_click. The row without a button is of all of them together.
CLICKED = """
SELECT button, count(DISTINCT customer_id)::int AS people, sum(clicks)::int AS clicks FROM campaign_click
WHERE campaign_id = $1 GROUP BY GROUPING SETS ((button), ())
"""
# What was paid in the window less what of it was refunded, whenever that was. The sales of the window come by
# receipt_at, or for few people by receipt_customer; only where something was refunded, receipt_original is asked. Of
# merged cards, whose sales are their owner's, one counts for an owner who is not of the audience: the oldest.
BOUGHT = """
WITH moved AS MATERIALIZED (
    SELECT DISTINCT ON (c.merged_into_id) c.id AS customer_id, c.merged_into_id AS owner_id
    FROM customer c JOIN recipient r ON r.campaign_id = $1 AND r.customer_id = c.id
        AND (r.state <> 'skipped' OR r.reason = ANY($2::text[]))
    WHERE c.merged_into_id IS NOT NULL AND NOT EXISTS (SELECT FROM recipient o WHERE o.campaign_id = $1
        AND o.customer_id = c.merged_into_id AND (o.state <> 'skipped' OR o.reason = ANY($2)))
    ORDER BY c.merged_into_id, c.id
), bought AS (
    SELECT s.customer_id, sum(s.paid - back.paid)::numeric AS paid
    FROM receipt s CROSS JOIN LATERAL (SELECT coalesce(sum(b.paid), 0) AS paid FROM receipt b
        WHERE s.refunded > 0 AND b.original_id = s.id) back
    WHERE s.kind = 'sale' AND s.refunded < s.total AND s.at >= $3 AND s.at < $4 GROUP BY 1
)
SELECT r.state = 'control' AS is_control, r.variant, count(*)::int AS people, count(b.customer_id)::int AS bought,
    (count(*) FILTER (WHERE b.paid > 0))::int AS buyers, coalesce(sum(b.paid), 0) AS total,
    coalesce(sum(b.paid * b.paid), 0) AS squares,
    coalesce(sum(b.paid * b.paid * b.paid), 0) AS cubes
FROM recipient r LEFT JOIN moved ON moved.customer_id = r.customer_id
    LEFT JOIN bought b ON b.customer_id = coalesce(moved.owner_id, r.customer_id)
WHERE r.campaign_id = $1 AND (r.state <> 'skipped' OR r.reason = ANY($2)) GROUP BY 1, 2
"""
# Each gift by its name in the ledger, its lot by bonus_lot_entry, what was taken of that by bonus_allocation_lot. What
# went to another card with a merge is not followed there.
GIVEN = """
SELECT count(*)::int AS people, coalesce(sum(e.amount), 0)::bigint AS given,
    coalesce(sum(used.spent), 0)::bigint AS spent, coalesce(sum(used.expired), 0)::bigint AS expired,
    coalesce(sum(used.repaid), 0)::bigint AS repaid, coalesce(sum(l.remaining), 0)::bigint AS remaining
FROM recipient r JOIN bonus_entry e ON e.operation_id = 'campaign:' || r.campaign_id || ':' || r.customer_id
    JOIN bonus_lot l ON l.entry_id = e.id
    CROSS JOIN LATERAL (SELECT sum(a.amount) FILTER (WHERE x.kind IN ('burn', 'restore_burn')) AS spent,
        sum(a.amount) FILTER (WHERE x.kind = 'expire') AS expired, sum(a.amount) FILTER (WHERE x.id = e.id) AS repaid
        FROM bonus_allocation a JOIN bonus_entry x ON x.id = a.entry_id WHERE a.lot_id = l.id) used
WHERE r.campaign_id = $1 AND r.message_id IS NOT NULL
"""
KEPT = "SELECT report, reported_at FROM campaign WHERE id = $1"


@dataclass(frozen=True, slots=True)
class Report:
    """What came of a campaign, as of `at`.

    people: who was to be written to; control: who was drawn not to be; skipped: left out before that. delivered, read:
    None where no channel tells. replied, clicked, bought: people; buttons: (people, clicks) of each, by its number.
    until: the window's end; None without one, and then nothing is known of purchases. revenue: minor units of the
    first group, control_revenue of the other. difference, low, high: see `effect.Effect`. wordings: those that the
    first group drew; none where there was nothing to draw.
    """

    at: datetime
    people: int = 0
    control: int = 0
    skipped: int = 0
    waiting: int = 0
    sent: int = 0
    delivered: int | None = None
    read: int | None = None
    failed: int = 0
    unknown: int = 0
    cancelled: int = 0
    replied: int = 0
    clicked: int = 0
    clicks: int = 0
    buttons: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    channels: Mapping[str, ChannelCount] = field(default_factory=dict)
    until: datetime | None = None
    bought: int | None = None
    control_bought: int | None = None
    revenue: int | None = None
    control_revenue: int | None = None
    verdict: Verdict = Verdict.NO_CONTROL
    difference: int | None = None
    low: int | None = None
    high: int | None = None
    cost: Cost = field(default_factory=Cost)
    wordings: Wordings = field(default_factory=Wordings)
    is_final: bool = False

    @property
    def margin(self) -> int | None:
        """Half of the interval."""
        return None if self.low is None or self.high is None else (self.high - self.low + 1) // 2

    @property
    def charged(self) -> int | None:
        """What channels charged for its messages, in minor units, as far as prices are known; None: none of them is."""
        return sum_known([one.cost for one in self.channels.values() if one.sent + one.unknown])

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The channels that took messages at a price that nobody had told."""
        return tuple(name for name, one in self.channels.items() if one.cost is None)

    @property
    def spent(self) -> int | None:
        """What it cost in all: messages, and bonuses that did not expire; None where messages are not known of."""
        return None if self.charged is None else self.charged + self.cost.lasting

    @property
    def revenue_each(self) -> int | None:
        """What a person of the first group paid on average, in minor units."""
        return _each(self.revenue, self.people)

    @property
    def control_each(self) -> int | None:
        """What a person of the control group paid on average."""
        return _each(self.control_revenue, self.control)

    def to_body(self) -> dict[str, Any]:
        """As it is kept; `from_body` reads it."""
        body = asdict(self)
        body.pop("at")
        return body

    @classmethod
    def from_body(cls, body: Mapping[str, Any], at: datetime) -> Self:
        """Read what was kept. Keys of a newer version are left out."""
        known = {name: body[name] for name in cls.__dataclass_fields__ if name in body}
        return cls(
            **known
            | {
                "at": at,
                "buttons": {key: (pair[0], pair[1]) for key, pair in body.get("buttons", {}).items()},
                "channels": {key: ChannelCount(**one) for key, one in body.get("channels", {}).items()},
                "until": datetime.fromisoformat(body["until"]) if body.get("until") else None,
                "verdict": Verdict(body.get("verdict", Verdict.NO_CONTROL)),
                "cost": Cost(**body.get("cost", {})),
                "wordings": Wordings.from_body(body["wordings"]) if "wordings" in body else Wordings(),
            }
        )


async def kept_report(campaign_id: int) -> Report | None:
    """The report as it was counted last; None before the first time. Raises NotFound("campaign")."""
    row = await db.fetch_row(KEPT, campaign_id)
    if row is None:
        raise NotFound("campaign")
    return Report.from_body(db.from_json(row["report"]), row["reported_at"]) if row["report"] is not None else None


async def count_report(campaign_id: int, *, now: datetime) -> Report:
    """Count what came of a campaign by `now`, in one snapshot. Raises NotFound("campaign").

    A few statements over all of its people: of a million beside ten million receipts they take some seconds.
    """
    async with db.transaction():
        await db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        await db.execute(f"SET LOCAL statement_timeout = '{PATIENCE_SECONDS}s'")
        await db.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        row = await db.fetch_row(OF_CAMPAIGN, campaign_id)
        if row is None:
            raise NotFound("campaign")
        until = row["began_at"] + timedelta(days=row["window_days"]) if row["window_days"] else None
        prices = db.from_json(row["prices"]) if row["prices"] is not None else {}
        [messages] = await _all(MESSAGES, campaign_id)
        between = messages["first"], messages["last"]
        outcomes = await _all(OUTCOMES, campaign_id, list(LEFT_LATER), *between)
        report = _with_outcomes(Report(now, until=until), outcomes, prices)
        replied = {one["variant"]: one["people"] for one in await _all(REPLIED, campaign_id, until, *between)}
        report = replace(report, replied=sum(replied.values()))
        report = _with_clicks(report, await _all(CLICKED, campaign_id))
        bought = None
        if until is not None:
            bought = await _all(BOUGHT, campaign_id, list(LEFT_LATER), row["began_at"], until)
            report = _with_purchases(report, bought, now)
        else:
            report = replace(report, verdict=Verdict.NO_WINDOW)
        if row["wordings"] > 1:
            counted = await _all(COUNTED, campaign_id, list(LEFT_LATER), *between)
            is_over = until is not None and now >= until
            wordings = wordings_of(row["wordings"], counted, replied, bought, is_over=is_over)
            report = replace(report, wordings=wordings)
        report = await _with_cost(report, campaign_id, row["bonus"])
        return replace(report, is_final=_is_final(row, until, now))


async def _all(sql: str, *params: Any) -> list[db.Row]:
    return await db.fetch_patiently(PATIENCE_SECONDS, sql, *params)


def _with_outcomes(report: Report, rows: list[db.Row], prices: Mapping[str, int]) -> Report:
    """What became of everybody's message, and what each channel charges for those that it took."""
    count = dict.fromkeys(("people", "control", "skipped", "waiting", "sent", "failed", "unknown", "cancelled"), 0)
    channels: dict[str, dict[str, int]] = {}
    for row in rows:
        people = row["people"]
        if row["is_control"]:
            count["control"] += people
            continue
        if row["is_skipped"] and not row["left_later"]:
            count["skipped"] += people
            continue
        count["people"] += people
        if row["is_skipped"]:
            count["cancelled"] += people
            continue
        for name in _names(row["status"]):
            if name in count:
                count[name] += people
            if row["channel"] is not None:
                of_channel = channels.setdefault(row["channel"], {})
                of_channel[name] = of_channel.get(name, 0) + people
                if name in CHARGED:
                    of_channel["units"] = of_channel.get("units", 0) + row["units"]
    counts = {name: _channel(name, told, prices.get(name)) for name, told in sorted(channels.items())}
    return replace(
        report,
        people=count["people"],
        control=count["control"],
        skipped=count["skipped"],
        waiting=count["waiting"],
        sent=count["sent"],
        failed=count["failed"],
        unknown=count["unknown"],
        cancelled=count["cancelled"],
        channels=counts,
        delivered=_told([one.delivered for one in counts.values()]),
        read=_told([one.read for one in counts.values()]),
        cost=replace(report.cost, messages=count["sent"] + count["unknown"]),
    )


def _names(status: str | None) -> tuple[str, ...]:
    """As what a message with this status counts."""
    match status:
        case "read":
            return ("sent", "delivered", "read")
        case "delivered":
            return ("sent", "delivered")
        case "sent" | "failed" | "unknown" | "cancelled":
            return (status,)
        case _:
            return ("waiting",)


def _channel(name: str, told: Mapping[str, int], price: int | None) -> ChannelCount:
    return ChannelCount(
        told.get("sent", 0),
        told.get("delivered", 0) if name in TELLS_OF_ARRIVING else None,
        told.get("read", 0) if name in TELLS_OF_READING else None,
        told.get("failed", 0),
        told.get("unknown", 0),
        told.get("units", 0),
        price,
    )


def _told(counts: list[int | None]) -> int | None:
    """The sum of what channels tell; None where none of them does."""
    known = [one for one in counts if one is not None]
    return sum(known) if known else None


def _with_clicks(report: Report, rows: list[db.Row]) -> Report:
    of_all = next((row for row in rows if row["button"] is None), None)
    return replace(
        report,
        clicked=of_all["people"] if of_all else 0,
        clicks=(of_all["clicks"] or 0) if of_all else 0,
        buttons={str(row["button"]): (row["people"], row["clicks"]) for row in rows if row["button"] is not None},
    )


def _with_purchases(report: Report, rows: list[db.Row], now: datetime) -> Report:
    """The money of both groups, and what it says.

    Before the window is over nothing is said: looked at often enough, chance alone would make a difference of it.
    """
    sides = [[row for row in rows if row["is_control"] is side] for side in (False, True)]
    own, other = (arm_of(side) for side in sides)
    own_bought, other_bought = (sum(row["bought"] for row in side) for side in sides)
    found = replace(
        report,
        bought=own_bought,
        control_bought=other_bought if other.people else None,
        revenue=own.total,
        control_revenue=other.total if other.people else None,
    )
    assert report.until is not None
    if not other.people:
        return replace(found, verdict=Verdict.NO_CONTROL)
    if now < report.until:
        return replace(found, verdict=Verdict.EARLY)
    effect = estimate(own, other)
    return replace(found, verdict=effect.verdict, difference=effect.difference, low=effect.low, high=effect.high)


async def _with_cost(report: Report, campaign_id: int, bonus: int) -> Report:
    if not bonus:
        return report
    [row] = await _all(GIVEN, campaign_id)
    value = money_of(row["given"], (await programme_at(report.at)).bonus_value)
    cost = Cost(
        people=row["people"],
        given=row["given"],
        spent=row["spent"],
        expired=row["expired"],
        repaid=row["repaid"],
        left=row["remaining"],
        value=value,
        messages=report.cost.messages,
    )
    return replace(report, cost=cost)


def _is_final(row: db.Row, until: datetime | None, now: datetime) -> bool:
    """Nothing that it tells of is waited for any more."""
    if row["finished_at"] is None or row["due"]:
        return False
    last: datetime = max(row["finished_at"], until or row["finished_at"])
    return now >= last + REFUNDED_WITHIN


def _each(total: int | None, people: int) -> int | None:
    """A mean, rounded to the nearest minor unit."""
    return None if total is None or not people else (2 * total + people) // (2 * people)
