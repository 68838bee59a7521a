"""The ledger beside a plain model of it: whatever happens in whatever order, both say the same after each step."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from loyalty import db
from loyalty.bonuses.actions.expiry import expire_due
from loyalty.bonuses.actions.manual import adjust
from loyalty.bonuses.queries import account
from loyalty.customers.actions.discounts import set_discount
from loyalty.errors import Refused
from loyalty.ids import new_key
from loyalty.office.queries.verify import verify
from loyalty.receipts.actions.holds import lapse_due, void_hold
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.receipts.actions.visits import roll_years
from loyalty.receipts.rules.refunds import LineRefund
from loyalty.receipts.rules.sales import Line, Recorded
from loyalty.shop.rules import DebtPolicy, Effect, Rounding, RuleSettings, Stacking, Tier
from loyalty.staff.rules import COMMAND, JOB
from tests.builders import NOW, a_customer, a_hold, a_location, a_programme, a_sale
from tests.proofs import ledger_model as plain
from tests.proofs.conftest import FULL, sized
from tests.proofs.ledger_model import Model, ModelHold, ModelLine, ModelRefund, ModelSale, Parts

pytestmark = [pytest.mark.prove, pytest.mark.usefixtures("database")]
STORIES, STEPS = sized(12, 150), sized(40, 60)
INSTANT = timedelta(microseconds=1)
GOODS = st.lists(
    st.tuples(st.integers(1, 900_00), st.sampled_from((plain.COFFEE, plain.CAKES, plain.GIFT_CARDS))),
    min_size=1,
    max_size=4,
)
RULES = (
    RuleSettings(1, "category", "Coffee", Effect.MULTIPLY, 20_000, params={"categories": [plain.COFFEE], "skus": []}),
    RuleSettings(
        2,
        "promo_code",
        "Spring",
        Effect.ADD,
        plain.CODE_PERCENT * 100,
        params={
            "code": plain.CODE,
            "from_day": None,
            "until_day": None,
            "customer_limit": plain.CODE_USES,
            "total_limit": 0,
        },
    ),
)


class Story(RuleBasedStateMachine):
    """One customer's life, told to the house and to the model at once."""

    loop: asyncio.AbstractEventLoop

    def __init__(self) -> None:
        super().__init__()
        self.model = Model(NOW)
        self.person: int = self.run(a_customer()).id
        self.place: int = self.run(a_location())

    def run(self, work: Awaitable[Any]) -> Any:
        async def to_the_end() -> Any:
            return await work

        return asyncio.run_coroutine_threadsafe(to_the_end(), self.loop).result(60)

    def refused(self, work: Awaitable[Any], reason: str) -> None:
        with pytest.raises(Refused) as refused:
            self.run(work)
        assert refused.value.reason == reason

    @initialize(
        rounding=st.sampled_from(Rounding), stacking=st.sampled_from(Stacking), policy=st.sampled_from(DebtPolicy)
    )
    def terms(self, rounding: Rounding, stacking: Stacking, policy: DebtPolicy) -> None:
        self.model.rounding, self.model.stacking, self.model.debt_policy = rounding.value, stacking.value, policy.value
        tiers = [Tier(number, str(number), paid, rate * 100) for number, (paid, rate) in enumerate(plain.TIERS)]
        programme = a_programme(
            tiers=tuple(tiers),
            tier_window_days=plain.WINDOW.days,
            rules=RULES,
            rounding=rounding,
            stacking=stacking,
            debt_policy=policy,
            excluded_categories=(plain.GIFT_CARDS,),
            bonus_step=1,
            activation_delay_days=1,
            lifetime_months=plain.EARNED_MONTHS,
            manual_lifetime_months=plain.BY_HAND_MONTHS,
            burn_share_bp=plain.BURN_PERCENT * 100,
            min_cash=plain.MIN_CASH,
            refund_grace_days=plain.GRACE_DAYS,
        )
        self.run(programme)

    @rule(hours=st.integers(1, 40 * 24))
    def time_passes(self, hours: int) -> None:
        self.model.now += timedelta(hours=hours)

    @rule(which=st.integers(0, 3), just_before=st.booleans())
    @precondition(lambda self: self.model.turning_points())
    def time_passes_until_something_changes(self, which: int, *, just_before: bool) -> None:
        points = self.model.turning_points()
        self.model.now = max(self.model.now, points[which % len(points)] - INSTANT * just_before)

    @rule(amount=st.integers(1, 500_00))
    def credit_by_hand(self, amount: int) -> None:
        self.run(adjust(self.person, amount, "gift", key=new_key(), actor=COMMAND, now=self.model.now))
        self.model.credit_by_hand(amount)

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

    @rule(percent=st.sampled_from((0, 3, 10)))
    def personal_discount(self, percent: int) -> None:
        self.run(set_discount(self.person, percent * 100, actor=COMMAND, now=self.model.now))
        self.model.discount = percent

    # ----------------------------------------------------------------------------------------- sales

    @rule(total=st.integers(1, 2000_00), share=st.sampled_from((0, 30, 100, 101)))
    def buy(self, total: int, share: int) -> None:
        lines = self.model.priced([(total, "")])
        limit = self.model.limit(lines, self.model.available - self.model.debt)
        burn = limit + 1 if share == 101 else limit * share // 100
        work = a_sale(self.person, self.place, total, burn=burn, now=self.model.now)
        if burn > limit:
            self.refused(work, "burn_over_limit")
        else:
            self.sold(self.run(work), self.model.spend(burn), lines)

    @rule(goods=GOODS, share=st.sampled_from((0, 30, 100)), with_code=st.booleans(), is_discounted=st.booleans())
    def buy_goods(self, goods: list[tuple[int, str]], share: int, *, with_code: bool, is_discounted: bool) -> None:
        lines = self.model.priced(goods, is_discounted=is_discounted)
        burn = self.model.limit(lines, self.model.available - self.model.debt) * share // 100
        code = plain.CODE if with_code else None
        work = a_sale(
            self.person,
            self.place,
            sum(total for total, _ in goods),
            burn=burn,
            lines=tuple(Line(total, category=category) for total, category in goods),
            discounts_applied=is_discounted,
            promo_code=code,
            now=self.model.now,
        )
        if code and self.model.code_uses >= plain.CODE_USES:
            self.refused(work, "promo_code_was_used")
        else:
            self.sold(self.run(work), self.model.spend(burn), lines, has_lines=True, code=code)

    @rule(total=st.integers(100_00, 2000_00), share=st.integers(1, 100))
    def set_aside(self, total: int, share: int) -> None:
        lines = self.model.priced([(total, "")])
        amount = self.model.limit(lines, self.model.available - self.model.debt) * share // 100
        if not amount:
            return
        kept = self.run(a_hold(self.person, self.place, total, amount, now=self.model.now))
        self.model.holds.append(ModelHold(kept.id, self.model.now + plain.HOLD, self.model.spend(amount)))

    @rule(which=st.integers(0, 9), share=st.integers(0, 101), total=st.integers(1_000_00, 2_000_00))
    @precondition(lambda self: self.model.holds)
    def buy_with_what_was_set_aside(self, which: int, share: int, total: int) -> None:
        hold = self.model.holds[which % len(self.model.holds)]
        held = sum(part for _, part in hold.parts)
        burn = held + 1 if share == 101 else held * share // 100
        lines = self.model.priced([(total, "")])
        work = a_sale(self.person, self.place, total, burn=burn, hold_id=hold.id, now=self.model.now)
        if not hold.is_live or self.model.now >= hold.ends:
            self.refused(work, "hold_is_over")
        elif burn > self.model.limit(lines, held):
            self.refused(work, "burn_over_limit")
        else:
            recorded = self.run(work)
            hold.is_live, parts = False, []
            for lot, most in sorted(hold.parts, key=lambda part: (part[0].ends, part[0].begins, part[0].number)):
                part = min(burn, most)
                burn -= part
                if part:
                    parts.append((lot, part))
            self.sold(recorded, parts, lines)

    def sold(self, recorded: Recorded, parts: Parts, lines: list[ModelLine], **more: Any) -> None:
        sale = self.model.sell(recorded.receipt_id, lines, parts, **more)
        assert (recorded.total, recorded.paid, recorded.earned) == (sale.total, sale.paid, sale.earned)

    @rule(which=st.integers(0, 9))
    @precondition(lambda self: self.model.holds)
    def let_go(self, which: int) -> None:
        hold = self.model.holds[which % len(self.model.holds)]
        if not hold.is_live:
            return
        self.run(void_hold(hold.id, actor=COMMAND, now=self.model.now))
        hold.is_live = False

    # --------------------------------------------------------------------------------------- refunds

    @rule(which=st.integers(0, 30), share=st.sampled_from((10, 20, 50, 100)))
    @precondition(lambda self: any(sale.left for sale in self.model.sales))
    def take_back(self, which: int, share: int) -> None:
        sale = self.some_sale(which)
        amount = max(1, sale.left * share // 100)
        answer = self.run(refund_receipt(sale.id, amount, key=new_key(), actor=COMMAND, now=self.model.now))
        self.taken_back(answer, self.model.refund(sale, amount))

    @rule(which=st.integers(0, 30), share=st.sampled_from((10, 50, 100)), first=st.integers(0, 3), both=st.booleans())
    @precondition(lambda self: any(sale.left and sale.has_lines for sale in self.model.sales))
    def take_back_goods(self, which: int, share: int, first: int, *, both: bool) -> None:
        sale = self.some_sale(which, has_lines=True)
        rest = [index for index, line in enumerate(sale.lines) if line.total > line.refunded]
        named = {rest[(first + more) % len(rest)]: 0 for more in range(1 + both)} if rest else {}
        for index in named:
            named[index] = max(1, (sale.lines[index].total - sale.lines[index].refunded) * share // 100)
        if not named:
            return
        parts = [LineRefund(index + 1, part) for index, part in named.items()]
        amount = sum(named.values())
        work = refund_receipt(sale.id, None, lines=parts, key=new_key(), actor=COMMAND, now=self.model.now)
        if amount > sale.left:
            self.refused(work, "refund_over_original")
        else:
            self.taken_back(self.run(work), self.model.refund(sale, amount, named))

    def some_sale(self, which: int, *, has_lines: bool = False) -> ModelSale:
        open_sales = [sale for sale in self.model.sales if sale.left and (sale.has_lines or not has_lines)]
        return open_sales[which % len(open_sales)]

    def taken_back(self, answer: Recorded, refund: ModelRefund) -> None:
        told = ModelRefund(answer.paid, answer.burnt, answer.earned, answer.forgiven, answer.kept_back)
        assert told == refund

    # ------------------------------------------------------------------------------------------ time

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
        facts = self.run(
            db.fetch_row("SELECT tier_id, sold, paid FROM customer_facts WHERE customer_id = $1", self.person)
        )
        sold = sum(sale.left for sale in model.sales)
        paid = sum(sale.paid - sale.paid_back for sale in model.sales)
        assert facts == {"tier_id": model.tier, "sold": sold, "paid": paid}

    def teardown(self) -> None:
        self.run(lapse_due(now=self.model.now))
        self.run(expire_due(actor=JOB, now=self.model.now))
        self.run(roll_years(now=self.model.now))
        # Those of earlier stories have lived at other times.
        proof = self.run(verify(now=self.model.now))
        assert [one.describe() for one in proof.differences if one.customer_id in {None, self.person}] == []


@pytest.fixture
async def story() -> type[Story]:
    # The machine's rules are no coroutines: they run in a thread, and what they do on this loop.
    return type("ThisStory", (Story,), {"loop": asyncio.get_running_loop()})


async def test_the_ledger_says_what_a_plain_model_says_after_every_step_of_every_story(story):
    # In every run of the tests the same stories, in each run of the proofs others.
    size = settings(max_examples=STORIES, stateful_step_count=STEPS, deadline=None, derandomize=not FULL)
    await asyncio.to_thread(run_state_machine_as_test, story, settings=size)


Step = tuple[str, dict[str, Any]]


def to_the(which: int, *, just_before: bool = False) -> Step:
    return "time_passes_until_something_changes", {"which": which, "just_before": just_before}


COFFEE, CAKE, CARD = (333_33, plain.COFFEE), (100_01, plain.CAKES), (50_00, plain.GIFT_CARDS)
PLAINLY = {"share": 0, "with_code": False, "is_discounted": False}
TOLD: dict[str, list[Step]] = {
    "what two lots paid comes back to the last of them first, and with days of grace once it has expired": [
        ("credit_by_hand", {"amount": 300_00}),
        ("time_passes", {"hours": 240}),
        ("credit_by_hand", {"amount": 300_00}),
        ("buy", {"total": 1000_00, "share": 100}),
        ("take_back", {"which": 0, "share": 20}),
        ("take_back", {"which": 0, "share": 50}),
        ("time_passes", {"hours": 22 * 24}),
        ("sweep", {}),
        ("take_back", {"which": 0, "share": 100}),
    ],
    "what ends sooner is spent sooner, in its last instant too, and not after it": [
        ("buy", {"total": 2000_00, "share": 0}),
        ("time_passes", {"hours": 25}),
        ("credit_by_hand", {"amount": 100_00}),
        ("time_passes", {"hours": 24}),
        ("credit_by_hand", {"amount": 100_00}),
        ("debit_by_hand", {"share": 10}),
        to_the(0, just_before=True),
        ("buy", {"total": 100_00, "share": 30}),
        to_the(0),
        ("debit_by_hand", {"share": 101}),
        ("buy", {"total": 1000_00, "share": 101}),
        ("sweep", {}),
        ("buy", {"total": 1000_00, "share": 100}),
    ],
    "what was set aside is nobody else's, and outlives its lot by its quarter of an hour": [
        ("credit_by_hand", {"amount": 100_00}),
        to_the(0, just_before=True),
        ("set_aside", {"total": 400_00, "share": 60}),
        ("buy", {"total": 1000_00, "share": 101}),
        ("debit_by_hand", {"share": 101}),
        to_the(0),
        ("sweep", {}),
        ("buy_with_what_was_set_aside", {"which": 0, "share": 50, "total": 1000_00}),
        ("take_back", {"which": 0, "share": 50}),
        ("sweep", {}),
    ],
    "lines give back their own shares, and money without a line its part of the rest": [
        ("personal_discount", {"percent": 3}),
        ("credit_by_hand", {"amount": 77_77}),
        *[
            ("buy_goods", {"goods": [COFFEE, CAKE, CAKE, CARD], "share": 100, "with_code": True, "is_discounted": no})
            for no in (False, True, False)
        ],
        ("take_back_goods", {"which": 0, "share": 50, "first": 0, "both": True}),
        ("take_back", {"which": 0, "share": 20}),
        ("take_back_goods", {"which": 0, "share": 100, "first": 1, "both": False}),
        ("take_back", {"which": 0, "share": 100}),
        ("buy_goods", {"goods": [COFFEE], "share": 0, "with_code": True, "is_discounted": False}),
    ],
    "what rounding leaves goes to the largest remainder, and of equal ones to the first": [
        ("buy_goods", {"goods": [(10_05, plain.CAKES), (10_04, plain.CAKES)], **PLAINLY}),
        ("take_back_goods", {"which": 0, "share": 100, "first": 1, "both": False}),
        ("buy_goods", {"goods": [(3_34, plain.CAKES)] * 3, **PLAINLY}),
        ("take_back_goods", {"which": 1, "share": 100, "first": 2, "both": False}),
        ("take_back_goods", {"which": 1, "share": 100, "first": 0, "both": False}),
    ],
    "a tier comes with its last kopeck, counts from the next purchase, and goes with the sale that brought it": [
        ("buy", {"total": 1999_99, "share": 0}),
        ("buy", {"total": 1, "share": 0}),
        ("buy", {"total": 1000_00, "share": 0}),
        ("take_back", {"which": 1, "share": 100}),
        ("take_back", {"which": 0, "share": 100}),
        ("buy", {"total": 1000_00, "share": 0}),
        ("take_back", {"which": 1, "share": 100}),
        ("buy", {"total": 1000_00, "share": 0}),
    ],
    "what the window has forgotten counts no more, nor does what of it is given back": [
        ("buy", {"total": 400_00, "share": 0}),
        ("time_passes", {"hours": 24 * 40}),
        ("buy", {"total": 1500_00, "share": 0}),
        ("time_passes", {"hours": 24 * 20}),
        ("take_back", {"which": 0, "share": 100}),
        ("buy", {"total": 499_99, "share": 0}),
        ("buy", {"total": 1, "share": 0}),
    ],
    "what an earlier purchase earned and a later one spent is missing, and repaid by the next": [
        ("buy", {"total": 1000_00, "share": 0}),
        ("time_passes", {"hours": 24}),
        ("buy", {"total": 200_00, "share": 100}),
        ("take_back", {"which": 0, "share": 50}),
        ("take_back", {"which": 0, "share": 100}),
        ("buy", {"total": 500_00, "share": 101}),
        ("buy", {"total": 500_00, "share": 0}),
        ("credit_by_hand", {"amount": 10_00}),
    ],
}


@pytest.mark.parametrize("policy", DebtPolicy)
@pytest.mark.parametrize("steps", TOLD.values(), ids=TOLD)
async def test_the_ledger_says_it_of_stories_in_which_much_depends_on_little(story, policy, steps):
    def tell() -> None:
        life = story()
        life.terms(rounding=Rounding.DOWN, stacking=Stacking.BEST, policy=policy)
        for name, details in steps:
            getattr(life, name)(**details)
            life.the_house_says_what_the_model_says()
        life.teardown()

    await asyncio.to_thread(tell)
