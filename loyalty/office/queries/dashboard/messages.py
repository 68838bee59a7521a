"""What was written to customers in a period, through which channels, and what became of it."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Self

from loyalty.conversations.queries.sent import FATE_OF, TELLS, TOLD, Fate
from loyalty.conversations.rules import Status
from loyalty.office.dashboard import Window
from loyalty.office.queries.dashboard.asking import ask, bounds
from loyalty.segments.queries.base import THERE

REASONS = 5
"""So many of the commonest reasons of failures are told."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One of them: how many messages became what, by Fate."""

    name: str
    fates: dict[str, int]

    @property
    def total(self) -> int:
        """All that were written."""
        return sum(self.fates.values())

    @property
    def sent(self) -> int:
        """Those that the messenger took."""
        return sum(self.fates.get(fate, 0) for fate in (Fate.SENT, Fate.DELIVERED, Fate.READ))

    def of(self, fate: Fate) -> int | None:
        """How many became this, or more than this; None where the channel does not tell."""
        if fate in TOLD and self.name not in TELLS and not any(self.fates.get(told) for told in TOLD):
            return None
        if fate is Fate.DELIVERED:
            return self.fates.get(Fate.DELIVERED, 0) + self.fates.get(Fate.READ, 0)
        return self.fates.get(fate, 0)


@dataclass(frozen=True, slots=True)
class Messages:
    """Channels, the busiest first; the commonest reasons of failures and how many more there were."""

    channels: list[Channel] = field(default_factory=list)
    reasons: list[tuple[str, int]] = field(default_factory=list)
    other_reasons: int = 0

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> Self:
        """What was kept of it."""
        channels = [Channel(**channel) for channel in body["channels"]]
        return cls(channels, [(reason, count) for reason, count in body["reasons"]], body["other_reasons"])


# Index: message_told, for few days; for many the table is read whole.
SENT = """
SELECT m.channel, m.status, CASE WHEN m.status = 'failed' THEN coalesce(m.reason, '') END AS reason, count(*) AS count
FROM message m WHERE m.direction = 'out' AND m.created_at >= $1 AND m.created_at < $2 {to} GROUP BY 1, 2, 3
"""


async def count_messages(window: Window, locations: Collection[int] | None, *, zone: str) -> Messages:
    """Count what was put into the outbox in a period: to everybody, or to whom these locations reach."""
    params: list[Any] = [*bounds(window, zone)]
    if locations is not None:
        params.append(list(locations))
    to = "" if locations is None else f"AND m.customer_id IN ({THERE.format('$3')})"
    rows = await ask(SENT.format(to=to), *params)
    fates: dict[str, dict[str, int]] = {}
    reasons: dict[str, int] = {}
    for row in rows:
        known, fate = fates.setdefault(row["channel"], {}), FATE_OF[Status(row["status"])].value
        known[fate] = known.get(fate, 0) + row["count"]
        if row["reason"] is not None:
            reasons[row["reason"]] = reasons.get(row["reason"], 0) + row["count"]
    channels = sorted((Channel(name, known) for name, known in fates.items()), key=lambda one: (-one.total, one.name))
    commonest = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
    return Messages(channels, commonest[:REASONS], sum(count for _, count in commonest[REASONS:]))
