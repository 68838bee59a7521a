"""Where a made-up customer stands on the tiers as time passes: up by buying, down by the window, by hand."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from loyalty.bonuses.rules import daytime
from loyalty.clock import business_date, end_of_day, start_of_day
from loyalty.shop.rules import Programme, Tier
from regulars.seed.records import ZONE, Receipt


@dataclass(frozen=True, slots=True)
class TierMove:
    """A change of tier to be written."""

    at: datetime
    tier_id: int
    previous_id: int
    reason: str
    receipt: Receipt | None = None
    staff_id: int | None = None


@dataclass(frozen=True, slots=True)
class TierWarning:
    """What somebody was told before a fall. `missing`: minor units that would have kept the tier."""

    at: datetime
    tier: str
    to: str
    missing: int
    falls_on: date


@dataclass(slots=True)
class _Paid:
    at: datetime
    amount: int


@dataclass(slots=True)
class Standing:
    """The tier of one customer, and what the window holds. The tiers are the same in all versions of the seed.

    can_be_told: whether a warning would reach the customer at a moment.
    """

    programme: Programme
    can_be_told: Callable[[datetime], bool]
    tier: Tier
    total: int = 0
    until: datetime | None = None  # by hand until then
    moves: list[TierMove] = field(default_factory=list)
    warnings: list[TierWarning] = field(default_factory=list)
    _parts: deque[_Paid] = field(default_factory=deque)
    _below_since: datetime | None = None
    _told: bool = False

    def pay(self, at: datetime, paid: int, reached: Tier, receipt: Receipt) -> None:
        """Count a sale, and the tier that it brings."""
        self._parts.append(_Paid(at, paid))
        self.total += paid
        if reached.id != self.tier.id:
            self._move(at, reached, "threshold", receipt=receipt)
            receipt.tier = reached.name
        self._look(at)

    def give_back(self, at: datetime, sale: Receipt, paid: int) -> None:
        """Take a refund from what its sale counts."""
        part = next((part for part in self._parts if part.at == sale.at), None)
        if part is not None:
            part.amount -= paid
            self.total -= paid
            self._look(at)

    def set_by_hand(self, at: datetime, tier_id: int, until: datetime, staff_id: int) -> None:
        """A tier by hand, whatever the window says."""
        self.until = until
        self._move(at, self.programme.tier(tier_id), "by_hand", staff_id=staff_id)

    def pass_time(self, now: datetime) -> None:
        """Let the window move on, with the warnings and falls that follow, until `now`."""
        window = timedelta(days=self.programme.tier_window_days)
        while True:
            forgotten = self._parts[0].at + window if self._parts else None
            step = self._next_step()
            if forgotten is not None and forgotten <= now and (step is None or forgotten <= step):
                self.total -= self._parts.popleft().amount
                self._look(forgotten)
            elif step is not None and step <= now:
                self._step(step)
            else:
                return

    def _look(self, at: datetime) -> None:
        if self.total >= self.tier.threshold:
            self._below_since, self._told = None, False
        elif self._below_since is None:
            self._below_since = at

    def _next_step(self) -> datetime | None:
        """When the tier ends, falls, or its fall is told."""
        if self.until is not None:
            return self.until
        if self._below_since is None:
            return None
        falls_on = self._falls_on(self._below_since)
        return end_of_day(falls_on, ZONE) if self._told else self._warn_at(falls_on)

    def _step(self, at: datetime) -> None:
        supported = self.programme.tier_for(max(0, self.total))
        if self.until is not None:
            self.until = None
            if supported.id != self.tier.id:
                self._move(at, supported, "hand_ended")
        elif self._told:
            self._move(at, supported, "window")
        else:
            self._told = True
            self._warn(at)

    def _warn(self, at: datetime) -> None:
        assert self._below_since is not None
        if not self.can_be_told(at):
            return
        falls_on = self._falls_on(self._below_since)
        ends = end_of_day(falls_on, ZONE) - timedelta(days=self.programme.tier_window_days)
        left = sum(part.amount for part in self._parts if part.at > ends)
        to = self.programme.tier_for(max(0, left))
        self.warnings.append(TierWarning(at, self.tier.name, to.name, self.tier.threshold - max(0, left), falls_on))

    def _falls_on(self, below_since: datetime) -> date:
        return business_date(below_since, ZONE) + timedelta(days=self.programme.tier_hold_days)

    def _warn_at(self, falls_on: date) -> datetime:
        return daytime(start_of_day(falls_on - timedelta(days=self.programme.tier_warning_days), ZONE), ZONE)

    def _move(
        self, at: datetime, tier: Tier, reason: str, *, receipt: Receipt | None = None, staff_id: int | None = None
    ) -> None:
        self.moves.append(TierMove(at, tier.id, self.tier.id, reason, receipt, staff_id))
        self.tier, self._below_since, self._told = tier, None, False
        self._look(at)
