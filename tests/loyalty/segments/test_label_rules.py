"""Rules that give categories, discounts and classes: whom they fit, what stays by hand, what is taken back."""

from dataclasses import replace
from datetime import timedelta

import pytest

from loyalty import db
from loyalty.customers.actions.categories import add_category, give_category
from loyalty.customers.actions.discounts import set_discount
from loyalty.customers.actions.importance import set_importance
from loyalty.customers.labels import CategoryDraft
from loyalty.errors import Invalid, Refused
from loyalty.segments.actions.label_rules import (
    add_rule,
    apply_due,
    archive_rule,
    change_rule,
    move_rule,
    restore_rule,
)
from loyalty.segments.actions.segments import add_segment
from loyalty.segments.queries.label_rules import label_rule, label_rules, rules_on_card
from loyalty.segments.rules.labels import LabelRuleDraft, Target
from loyalty.segments.rules.segments import SegmentDraft
from loyalty.segments.rules.trees import tree_from
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_customer, a_location, a_sale, assert_books_agree

LATER = NOW + timedelta(minutes=6)


def a_draft(name: str, target: Target, value: int, conditions: str) -> LabelRuleDraft:
    return LabelRuleDraft(name, target, value, tree_from(conditions))


async def facts(customer_id: int) -> tuple[int, int, int, int]:
    row = await db.fetch_row(
        "SELECT discount_bp, discount_rule_id, importance_id, importance_rule_id FROM customer_facts"
        " WHERE customer_id = $1",
        customer_id,
    )
    assert row is not None
    return tuple(row.values())


async def categories(customer_id: int) -> list[tuple[int, int | None]]:
    rows = await db.fetch(
        "SELECT category_id, rule_id FROM customer_category WHERE customer_id = $1 ORDER BY 1", customer_id
    )
    return [(row["category_id"], row["rule_id"]) for row in rows]


async def people() -> tuple[int, int, int]:
    """Nobody's, some and much was sold to them."""
    place = await a_location()
    none, some, much = [(await a_customer()).id for _ in range(3)]
    await a_sale(some, place, 500_00)
    await a_sale(much, place, 5_000_00)
    return none, some, much


async def test_the_first_rule_that_fits_sets_the_discount_and_it_goes_with_its_reason(database):
    none, some, much = await people()
    much_rule = await add_rule(a_draft("Много", Target.DISCOUNT, 1000, "sold:between:400000.."), actor=COMMAND, now=NOW)
    any_rule = await add_rule(a_draft("Купили", Target.DISCOUNT, 300, "receipts:between:1.."), actor=COMMAND, now=NOW)
    assert await apply_due(now=NOW) == 2
    assert [(await facts(one))[:2] for one in (none, some, much)] == [(0, 0), (300, any_rule), (1000, much_rule)]
    assert await apply_due(now=NOW) == 0
    assert await apply_due(now=LATER) == 0
    await move_rule(any_rule, -1, actor=COMMAND, now=LATER)
    assert await apply_due(now=LATER) == 1
    assert (await facts(much))[:2] == (300, any_rule)
    await archive_rule(any_rule, actor=COMMAND, now=LATER)
    assert await apply_due(now=LATER) == 2
    assert [(await facts(one))[:2] for one in (some, much)] == [(0, 0), (1000, much_rule)]
    await restore_rule(any_rule, actor=COMMAND, now=LATER)
    assert await apply_due(now=LATER) == 2
    assert ((await label_rule(any_rule)).size, (await label_rule(much_rule)).size) == (2, 0)
    assert [one.name for one in await rules_on_card(some)] == ["Купили"]
    await assert_books_agree()


async def test_what_was_given_by_hand_stays(database):
    _, some, much = await people()
    await set_discount(some, 700, actor=COMMAND, now=NOW)
    await set_importance([much], 2, actor=COMMAND, now=NOW)
    category = await add_category(CategoryDraft("VIP", "violet"), actor=COMMAND, now=NOW)
    await give_category(category, [some], actor=COMMAND, now=NOW)
    discount = await add_rule(a_draft("Д", Target.DISCOUNT, 300, "receipts:between:1.."), actor=COMMAND, now=NOW)
    importance = await add_rule(a_draft("В", Target.IMPORTANCE, 1, "receipts:between:1.."), actor=COMMAND, now=NOW)
    vip = await add_rule(a_draft("К", Target.CATEGORY, category, "receipts:between:1.."), actor=COMMAND, now=NOW)
    await apply_due(now=NOW)
    assert await facts(some) == (700, 0, 1, importance)
    assert await facts(much) == (300, discount, 2, 0)
    assert await categories(some) == [(category, None)]
    assert await categories(much) == [(category, vip)]
    # What a rule gave is somebody's hand from now on, and outlives the rule.
    await set_discount(much, 300, actor=COMMAND, now=NOW)
    await give_category(category, [much], actor=COMMAND, now=NOW)
    for rule in (discount, importance, vip):
        await archive_rule(rule, actor=COMMAND, now=NOW)
    await apply_due(now=LATER)
    assert await facts(much) == (300, 0, 2, 0)
    assert await facts(some) == (700, 0, 0, 0)
    assert await categories(much) == [(category, None)]


async def test_a_discount_of_a_rule_is_not_taken_away_by_hand(database):
    _, some, _ = await people()
    await add_rule(a_draft("Д", Target.DISCOUNT, 300, "receipts:between:1.."), actor=COMMAND, now=NOW)
    await apply_due(now=NOW)
    with pytest.raises(Refused, match="discount_is_by_rule"):
        await set_discount(some, 0, actor=COMMAND, now=NOW)


async def test_labels_follow_what_people_do(database):
    none, some, much = await people()
    category = await add_category(CategoryDraft("Купил", "green"), actor=COMMAND, now=NOW)
    rule = await add_rule(a_draft("К", Target.CATEGORY, category, "sold:between:1..100000"), actor=COMMAND, now=NOW)
    await apply_due(now=NOW)
    assert [await categories(one) for one in (none, some, much)] == [[], [(category, rule)], []]
    place = await a_location()
    await a_sale(none, place, 100_00)
    await a_sale(some, place, 9_000_00)
    assert await apply_due(now=LATER) == 2
    assert [await categories(one) for one in (none, some, much)] == [[(category, rule)], [], []]
    other = await add_category(CategoryDraft("Другая", "red"), actor=COMMAND, now=NOW)
    draft = a_draft("К", Target.CATEGORY, other, "sold:between:1..100000")
    await change_rule(rule, draft, actor=COMMAND, now=LATER)
    await apply_due(now=LATER)
    assert await categories(none) == [(other, rule)]
    await change_rule(rule, replace(draft, is_active=False), actor=COMMAND, now=LATER)
    await apply_due(now=LATER)
    assert await categories(none) == []
    assert await apply_due(now=LATER + timedelta(hours=1)) == 0


async def test_more_people_than_one_transaction_holds_are_all_labelled(database, monkeypatch):
    monkeypatch.setattr("loyalty.segments.actions.label_rules.PER_CALL", 2)
    made = [(await a_customer()).id for _ in range(5)]
    category = await add_category(CategoryDraft("Все", "blue"), actor=COMMAND, now=NOW)
    await add_rule(a_draft("К", Target.CATEGORY, category, "visits:between:0.."), actor=COMMAND, now=NOW)
    await add_rule(a_draft("Д", Target.DISCOUNT, 500, "visits:between:0.."), actor=COMMAND, now=NOW)
    assert await apply_due(now=NOW) == 10
    assert [len(await categories(one)) for one in made] == [1] * 5
    assert [(await facts(one))[0] for one in made] == [500] * 5


@pytest.mark.parametrize(
    ("target", "value", "conditions", "reason"),
    [
        (Target.DISCOUNT, 0, "visits:between:1..", "not_a_share"),
        (Target.DISCOUNT, 10_001, "visits:between:1..", "not_a_share"),
        (Target.DISCOUNT, 500, "", "required"),
        (Target.DISCOUNT, 500, "discount:between:100..", "rule_asks_for_itself"),
        (Target.DISCOUNT, 500, "any(visits:between:1..,none(discount:between:1..))", "rule_asks_for_itself"),
        (Target.IMPORTANCE, 1, "importance:any:2", "rule_asks_for_itself"),
        (Target.IMPORTANCE, 99, "visits:between:1..", "unknown_choice"),
        (Target.CATEGORY, 99, "visits:between:1..", "unknown_choice"),
    ],
)
async def test_a_rule_that_cannot_be_applied_is_not_made(database, target, value, conditions, reason):
    with pytest.raises(Invalid, match=reason):
        await add_rule(a_draft("Правило", target, value, conditions), actor=COMMAND, now=NOW)
    assert await label_rules() == []


async def test_a_rule_does_not_ask_for_itself_through_a_segment(database):
    segment = await add_segment(
        SegmentDraft("Со скидкой", conditions=tree_from("discount:between:1..")), actor=COMMAND, now=NOW
    )
    with pytest.raises(Invalid, match="rule_asks_for_itself"):
        await add_rule(a_draft("Д", Target.DISCOUNT, 500, f"segment:none:{segment}"), actor=COMMAND, now=NOW)
    await add_rule(a_draft("В", Target.IMPORTANCE, 1, f"segment:any:{segment}"), actor=COMMAND, now=NOW)
