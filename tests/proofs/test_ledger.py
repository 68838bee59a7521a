"""The ledger beside a plain model of it: whatever happens in whatever order, both say the same after each step."""

import asyncio
import os
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from loyalty.bonuses.actions.expiry import expire_due
from loyalty.bonuses.actions.manual import adjust
from loyalty.bonuses.queries import account
from loyalty.errors import Refused
from loyalty.ids import new_key
from loyalty.receipts.actions.holds import lapse_due, void_hold
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.shop.rules import Tier
from loyalty.staff.rules import COMMAND, JOB
from tests.builders import NOW, a_customer, a_hold, a_location, a_programme, a_sale, assert_books_agree

pytestmark = [pytest.mark.prove, pytest.mark.usefixtures("database")]
ZONE = ZoneInfo("Europe/Moscow")
STORIES, STEPS = (150, 60) if os.environ.get("REGULARS_PROVE") == "1" else (6, 30)
RATE_PERCENT, BURN_PERCENT, MIN_CASH, GRACE_DAYS, HOLD = 10, 50, 1_00, 14, timedelta(minutes=15)


@dataclass
class ModelLot:
    """Bonuses as a shopkeeper would pencil them: how many are left, from when, until when."""

    left: int
    begins: datetime
    ends: datetime
    number: int
    lapsed: int = 0

    def is_active(self, now: datetime) -> bool:
        return self.begins <= now < self.ends


@dataclass
class ModelSale:
    id: int
    total: int
    paid: int
    burnt: list[tuple[ModelLot, int]]
    earned: int
    own: ModelLot | None
    refunded: int = 0
    restored: int = 0
    reversed: int = 0


@dataclass
class ModelHold:
    id: int
    ends: datetime
    parts: list[tuple[ModelLot, int]]
    is_live: bool = True


@dataclass
class Model:
    """The rules once more, in the simplest words: lists and loops, no SQL and nothing of the house."""

    now: datetime = NOW
    debt: int = 0
    lots: list[ModelLot] = field(default_factory=list)
    sales: list[ModelSale] = field(default_factory=list)
    holds: list[ModelHold] = field(default_factory=list)

    @property
    def balance(self) -> int:
        return sum(lot.left for lot in self.lots) - self.debt

    def held(self, lot: ModelLot) -> int:
        live = [hold for hold in self.holds if hold.is_live and self.now < hold.ends]
        return sum(part for hold in live for one, part in hold.parts if one is lot)

    def active(self) -> list[ModelLot]:
        found = [lot for lot in self.lots if lot.is_active(self.now) and lot.left > self.held(lot)]
        return sorted(found, key=lambda lot: (lot.ends, lot.begins, lot.number))

    @property
    def available(self) -> int:
        return sum(lot.left - self.held(lot) for lot in self.active())

    def spend(self, amount: int) -> list[tuple[ModelLot, int]]:
        parts = []
        for lot in self.active():
            part = min(amount, lot.left - self.held(lot))
            if part:
                parts.append((lot, part))
                amount -= part
        return parts

    def credit(self, amount: int, begins: datetime, ends: datetime, *, repays: bool = True) -> ModelLot:
        repaid = min(self.debt, amount) if repays else 0
        self.debt -= repaid
        lot = ModelLot(amount - repaid, begins, ends, len(self.lots))
        self.lots.append(lot)
        return lot

    def limit(self, total: int, spendable: int) -> int:
        return max(0, min(spendable, total * BURN_PERCENT // 100, total - MIN_CASH))

    def sell(self, sale_id: int, total: int, parts: list[tuple[ModelLot, int]]) -> ModelSale:
        for lot, part in parts:
            lot.left -= part
        paid = total - sum(part for _, part in parts)
        earned, own = paid * RATE_PERCENT // 100, None
        if earned:
            begins = midnight(self.today() + timedelta(days=1))
            own = self.credit(
                earned, begins, midnight(next_month(self.today() + timedelta(days=1)) + timedelta(days=1))
            )
        sale = ModelSale(sale_id, total, paid, parts, earned, own)
        self.sales.append(sale)
        return sale

    def refund(self, sale: ModelSale, amount: int) -> None:
        sale.refunded += amount
        burnt = sum(part for _, part in sale.burnt)
        restored = burnt * sale.refunded // sale.total
        self._give_back(sale, restored)
        due = sale.earned * sale.refunded // sale.total - (sale.own.lapsed if sale.own else 0)
        take = max(0, due - sale.reversed)
        sale.reversed += take
        if sale.own is not None:
            part = min(take, sale.own.left - self.held(sale.own))
            sale.own.left -= part
            take -= part
        for lot, part in self.spend(take):
            lot.left -= part
            take -= part
        self.debt += take

    def _give_back(self, sale: ModelSale, restored: int) -> None:
        """The last spent come back first; what has expired comes as a new lot with days of grace."""
        gone, back, grace = sale.restored, restored - sale.restored, 0
        for lot, part in reversed(sale.burnt):
            before = min(gone, part)
            gone -= before
            here = min(back, part - before)
            back -= here
            if lot.ends <= self.now:
                grace += here
            else:
                lot.left += here
        sale.restored = restored
        if grace:
            ends = midnight(self.today() + timedelta(days=GRACE_DAYS + 1))
            self.credit(grace, self.now, ends, repays=False)

    def sweep(self) -> None:
        for hold in self.holds:
            hold.is_live = hold.is_live and self.now < hold.ends
        for lot in self.lots:
            if lot.ends <= self.now and not self.held(lot):
                lot.lapsed += lot.left
                lot.left = 0

    def today(self) -> date:
        return self.now.astimezone(ZONE).date()


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), ZONE).astimezone(UTC)


def next_month(day: date) -> date:
    """The same day of the next month, or its last one."""
    year, month = (day.year + 1, 1) if day.month == 12 else (day.year, day.month + 1)
    for number in range(day.day, 0, -1):
        try:
            return date(year, month, number)
        except ValueError:
            continue
    raise AssertionError


class Story(RuleBasedStateMachine):
    """One customer's life, told to the house and to the model at once."""

    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        self.model = Model()
        self.person: int = self.run(a_customer()).id
        self.place: int = self.run(a_location())

    def run(self, work: Awaitable[Any]) -> Any:
        async def to_the_end() -> Any:
            return await work

        return asyncio.run_coroutine_threadsafe(to_the_end(), self.loop).result(60)

    @rule(hours=st.integers(1, 40 * 24))
    def time_passes(self, hours: int) -> None:
        self.model.now += timedelta(hours=hours)

    @rule(minutes=st.integers(1, 20))
    def a_moment_passes(self, minutes: int) -> None:
        self.model.now += timedelta(minutes=minutes)

    @rule(amount=st.integers(1, 500_00))
    def credit_by_hand(self, amount: int) -> None:
        self.run(adjust(self.person, amount, "gift", key=new_key(), actor=COMMAND, now=self.model.now))
        ends = midnight(next_month(self.model.today()) + timedelta(days=1))
        self.model.credit(amount, self.model.now, ends)

    @rule(share=st.integers(1, 120))
    @precondition(lambda self: self.model.available)
    def debit_by_hand(self, share: int) -> None:
        amount = max(1, self.model.available * share // 100)
        work = adjust(self.person, -amount, "mistake", key=new_key(), actor=COMMAND, now=self.model.now)
        if amount > self.model.available:
            self.refused(work, "not_enough_bonuses")
            return
        self.run(work)
        for lot, part in self.model.spend(amount):
            lot.left -= part

    @rule(total=st.integers(1, 2000_00), share=st.sampled_from((0, 30, 100, 101)))
    def buy(self, total: int, share: int) -> None:
        limit = self.model.limit(total, self.model.available - self.model.debt)
        burn = limit + 1 if share == 101 else limit * share // 100
        work = a_sale(self.person, self.place, total, burn=burn, now=self.model.now)
        if burn > limit:
            self.refused(work, "burn_over_limit")
            return
        recorded = self.run(work)
        sale = self.model.sell(recorded.receipt_id, total, self.model.spend(burn))
        assert (recorded.paid, recorded.earned) == (sale.paid, sale.earned)

    @rule(total=st.integers(100_00, 2000_00), share=st.integers(1, 100))
    def set_aside(self, total: int, share: int) -> None:
        amount = self.model.limit(total, self.model.available - self.model.debt) * share // 100
        if not amount:
            return
        kept = self.run(a_hold(self.person, self.place, total, amount, now=self.model.now))
        self.model.holds.append(ModelHold(kept.id, self.model.now + HOLD, self.model.spend(amount)))

    @rule(which=st.integers(0, 9), share=st.integers(0, 101), total=st.integers(1_000_00, 2_000_00))
    @precondition(lambda self: self.model.holds)
    def buy_with_what_was_set_aside(self, which: int, share: int, total: int) -> None:
        hold = self.model.holds[which % len(self.model.holds)]
        held = sum(part for _, part in hold.parts)
        burn = held + 1 if share == 101 else held * share // 100
        work = a_sale(self.person, self.place, total, burn=burn, hold_id=hold.id, now=self.model.now)
        if not hold.is_live or self.model.now >= hold.ends:
            self.refused(work, "hold_is_over")
        elif burn > self.model.limit(total, held):
            self.refused(work, "burn_over_limit")
        else:
            recorded = self.run(work)
            hold.is_live, parts = False, []
            for lot, most in sorted(hold.parts, key=lambda part: (part[0].ends, part[0].begins, part[0].number)):
                part = min(burn, most)
                burn -= part
                if part:
                    parts.append((lot, part))
            self.model.sell(recorded.receipt_id, total, parts)

    @rule(which=st.integers(0, 9))
    @precondition(lambda self: self.model.holds)
    def let_go(self, which: int) -> None:
        hold = self.model.holds[which % len(self.model.holds)]
        if not hold.is_live:
            return
        self.run(void_hold(hold.id, actor=COMMAND, now=self.model.now))
        hold.is_live = False

    @rule(which=st.integers(0, 30), share=st.sampled_from((10, 20, 50, 100)))
    @precondition(lambda self: any(sale.refunded < sale.total for sale in self.model.sales))
    def take_back(self, which: int, share: int) -> None:
        open_sales = [sale for sale in self.model.sales if sale.refunded < sale.total]
        sale = open_sales[which % len(open_sales)]
        amount = max(1, (sale.total - sale.refunded) * share // 100)
        self.run(refund_receipt(sale.id, amount, key=new_key(), actor=COMMAND, now=self.model.now))
        self.model.refund(sale, amount)

    @rule()
    def sweep(self) -> None:
        self.run(lapse_due(now=self.model.now))
        self.run(expire_due(actor=JOB, now=self.model.now))
        self.model.sweep()

    @invariant()
    def the_house_says_what_the_model_says(self) -> None:
        standing = self.run(account(self.person, now=self.model.now))
        model = self.model
        assert (standing.balance, standing.debt, standing.available) == (model.balance, model.debt, model.available)
        assert standing.pending == sum(lot.left for lot in model.lots if model.now < lot.begins)
        found = sorted((view.lot.remaining, view.lot.activates_at, view.lot.expires_at) for view in standing.lots)
        assert found == sorted((lot.left, lot.begins, lot.ends) for lot in model.lots if lot.left)
        assert min([standing.available, standing.debt, *(lot.left for lot in model.lots)]) >= 0

    def refused(self, work: Awaitable[Any], reason: str) -> None:
        with pytest.raises(Refused) as refused:
            self.run(work)
        assert refused.value.reason == reason

    def teardown(self) -> None:
        self.run(lapse_due(now=self.model.now))
        self.run(expire_due(actor=JOB, now=self.model.now))
        self.run(assert_books_agree(now=self.model.now))


async def test_the_ledger_says_what_a_plain_model_says_after_every_step_of_every_story():
    await a_programme(
        tiers=(Tier(0, "Base", 0, RATE_PERCENT * 100),),
        bonus_step=1,
        activation_delay_days=1,
        lifetime_months=1,
        manual_lifetime_months=1,
        burn_share_bp=BURN_PERCENT * 100,
        min_cash=MIN_CASH,
        refund_grace_days=GRACE_DAYS,
    )
    machine = type("ThisStory", (Story,), {"loop": asyncio.get_running_loop()})
    size = settings(max_examples=STORIES, stateful_step_count=STEPS, deadline=None)
    # The machine's rules are no coroutines: they run in a thread, and what they do on this loop.
    await asyncio.to_thread(run_state_machine_as_test, machine, settings=size)
