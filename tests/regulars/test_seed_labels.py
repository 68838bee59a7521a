from datetime import UTC, datetime

from loyalty import db
from loyalty.customers.queries.archive import deleted_customers
from loyalty.customers.queries.categories import categories, importance_classes
from loyalty.office.actions.merging import merge_cards, undo_merge
from loyalty.office.queries.duplicates import duplicates
from loyalty.office.queries.merges import way_of
from loyalty.segments.actions.label_rules import apply_rules
from loyalty.segments.queries.label_rules import label_rules
from loyalty.segments.rules.labels import Target
from loyalty.staff.queries import staff_list
from loyalty.staff.rules import Actor, ActorKind
from regulars.seed import seed
from regulars.seed.doubles import MERGED, MOVED, OPEN
from regulars.seed.labels import BY_RULE, CATEGORIES, CLASSES, VIP_DISCOUNT_BP
from tests.builders import assert_books_agree

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


async def test_customers_have_labels_and_a_few_are_deleted(database):
    await seed(300, now=NOW, report=lambda _: None)
    made = await categories()
    by_hand = {draft.name for draft, _, _ in CATEGORIES}
    assert {one.name for one in made} == by_hand | {BY_RULE.name}
    assert all(one.size == one.by_hand > 2 for one in made if one.name in by_hand)
    classes = await importance_classes()
    assert [one.name for one in classes] == list(CLASSES)
    assert classes[0].size > classes[1].size > classes[2].size > 2
    deleted, _ = await deleted_customers(now=NOW)
    assert 2 < len(deleted) < 20
    assert all(one.staff_name for one in deleted)
    early = (
        "SELECT count(*) FROM customer_category p JOIN customer c ON c.id = p.customer_id WHERE added_at < created_at"
    )
    assert await db.fetch_value(early) == 0
    later = (
        "SELECT count(*) FROM customer c JOIN customer_facts f ON f.customer_id = c.id WHERE deleted_at < last_visit_at"
    )
    assert await db.fetch_value(later) == 0
    rules = await label_rules()
    assert [rule.size > 2 for rule in rules] == [True, True]
    often = await db.fetch_value("SELECT count(*) FROM customer_category WHERE rule_id = $1", rules[0].id)
    given = await db.fetch_value(
        "SELECT count(*) FROM customer_facts WHERE discount_rule_id = $1 AND discount_bp = $2",
        rules[1].id,
        VIP_DISCOUNT_BP,
    )
    assert (often, given) == (rules[0].size, rules[1].size)
    # What rules gave is what they would give again.
    assert [await apply_rules(target, now=NOW) for target in (Target.CATEGORY, Target.DISCOUNT)] == [0, 0]
    await assert_books_agree(now=NOW)


async def test_some_people_have_two_cards_and_some_had(database):
    await seed(300, now=NOW, report=lambda _: None)
    assert await db.fetch_value("SELECT count(*) FROM customer") == 300
    merged = await db.fetch("SELECT survivor_id, merged_id FROM merge WHERE undone_at IS NULL")
    assert len(merged) == MERGED
    assert all([await way_of(row["merged_id"]) == (row["survivor_id"], False) for row in merged])
    found = (await duplicates()).pairs
    assert sorted(pair.by for pair in found) == ["name"] * OPEN + ["phone"] * MOVED
    # A merge of the demo can be taken back, and one of the pairs made one.
    olga = Actor(ActorKind.STAFF, (await staff_list())[0].id)
    merge_id = await db.fetch_value("SELECT max(id) FROM merge")
    await undo_merge(merge_id, actor=olga, now=NOW)
    await merge_cards(found[0].other.id, found[0].one.id, actor=olga, now=NOW)
    await assert_books_agree(now=NOW)
