"""Categories and classes of importance: made, given by hand and by rules, taken, put away."""

import asyncio

import pytest

from loyalty import db
from loyalty.customers.actions.archive import delete_customers, restore_customers
from loyalty.customers.actions.categories import (
    add_category,
    archive_category,
    change_category,
    give_category,
    restore_category,
    take_category,
)
from loyalty.customers.actions.importance import (
    add_class,
    archive_class,
    move_class,
    rename_class,
    restore_class,
    set_importance,
)
from loyalty.customers.labels import CLASSES_AT_MOST, PER_CALL, CategoryDraft, next_color
from loyalty.customers.queries.categories import categories, category_chips, importance_classes, importance_of
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_cashier, a_customer

pytestmark = pytest.mark.usefixtures("database")


async def a_category(name: str = "Office", color: str = "blue") -> int:
    return await add_category(CategoryDraft(name, color), actor=COMMAND, now=NOW)


async def a_rule(target: str, value: int) -> int:
    rule: int = await db.fetch_value(
        "INSERT INTO label_rule (name, target, value, conditions, position, is_active, created_at, size)"
        " VALUES ('Big spenders', $1, $2, '{}', 1, true, $3, 0) RETURNING id",
        target,
        value,
        NOW,
    )
    return rule


async def given_by_rule(category_id: int, customer_id: int) -> int:
    rule = await a_rule("category", category_id)
    await db.execute(
        "INSERT INTO customer_category (category_id, customer_id, rule_id, added_at) VALUES ($1, $2, $3, $4)",
        category_id,
        customer_id,
        rule,
        NOW,
    )
    return rule


async def acts(action: str) -> list[dict]:
    return await db.fetch(
        "SELECT subject_kind, subject_id, details FROM journal_entry WHERE action = $1 ORDER BY id", action
    )


@pytest.mark.parametrize(
    ("name", "color", "field", "reason"),
    [
        ("", "blue", "name", "required"),
        ("x" * 41, "blue", "name", "too_long"),
        ("a\u200eb", "blue", "name", "odd_characters"),
        ("Office", "#ff0000", "color", "unknown_choice"),
        ("Office", "", "color", "unknown_choice"),
        ("OFFICE", "red", "name", "label_taken"),
    ],
)
async def test_an_unsound_category_is_refused_beside_its_field(name, color, field, reason):
    await a_category()
    with pytest.raises(Invalid, match=reason) as refused:
        await add_category(CategoryDraft(name, color), actor=COMMAND, now=NOW)
    assert refused.value.field == field


async def test_a_category_lives_and_its_name_is_free_once_it_is_archived():
    made = await a_category("  Off   ice ")
    await change_category(made, CategoryDraft("Offices", "red"), actor=COMMAND, now=NOW)
    await change_category(made, CategoryDraft("Offices", "red"), actor=COMMAND, now=NOW)
    assert len(await acts("category.changed")) == 1
    await archive_category(made, actor=COMMAND, now=NOW)
    await archive_category(made, actor=COMMAND, now=NOW)
    other = await a_category("offices")
    with pytest.raises(Refused, match="label_taken"):
        await restore_category(made, actor=COMMAND, now=NOW)
    await change_category(other, CategoryDraft("Others", "red"), actor=COMMAND, now=NOW)
    await restore_category(made, actor=COMMAND, now=NOW)
    with pytest.raises(Invalid, match="label_taken"):
        await change_category(other, CategoryDraft("OFFICES", "red"), actor=COMMAND, now=NOW)
    assert [(one.name, one.color, one.archived_at) for one in await categories()] == [
        ("Offices", "red", None),
        ("Others", "red", None),
    ]
    with pytest.raises(NotFound, match="category"):
        await archive_category(999, actor=COMMAND, now=NOW)


async def test_several_are_given_a_category_at_once_with_one_line_in_the_journal():
    made, actor = await a_category(), await a_cashier()
    people = [(await a_customer()).id for _ in range(3)]
    assert await give_category(made, [*people, people[0], 10**12], actor=actor, now=NOW) == 3
    assert await give_category(made, people, actor=actor, now=NOW) == 0
    lines = await acts("category.given")
    assert [(line["subject_kind"], line["subject_id"]) for line in lines] == [("category", made)]
    assert db.from_json(lines[0]["details"]) == {"customers": 3}
    assert (await categories())[0].size == 3
    assert await take_category(made, people[:1], actor=actor, now=NOW) == 1
    assert await take_category(made, people[:1], actor=actor, now=NOW) == 0
    taken = await acts("category.taken")
    assert [(line["subject_kind"], line["subject_id"]) for line in taken] == [("customer", people[0])]


async def test_who_is_merged_or_erased_is_given_nothing_and_who_is_deleted_is():
    made = await a_category()
    merged, erased, deleted, whole = [(await a_customer()).id for _ in range(4)]
    await db.execute("UPDATE customer SET merged_into_id = $2 WHERE id = $1", merged, whole)
    await db.execute("UPDATE customer SET erased_at = $2 WHERE id = $1", erased, NOW)
    await db.execute("UPDATE customer SET deleted_at = $2 WHERE id = $1", deleted, NOW)
    assert await give_category(made, [merged, erased, deleted, whole], actor=COMMAND, now=NOW) == 2
    assert await set_importance([merged, erased, deleted, whole], 1, actor=COMMAND, now=NOW) == 2


async def test_what_a_rule_gave_stays_by_hand_and_is_else_the_rules_to_take():
    made, person = await a_category(), (await a_customer()).id
    await given_by_rule(made, person)
    assert [(one.is_in, one.rule) for one in await category_chips(person)] == [(True, "Big spenders")]
    with pytest.raises(Refused, match="category_is_by_rule"):
        await take_category(made, [person], actor=COMMAND, now=NOW)
    other = (await a_customer()).id
    assert await take_category(made, [person, other], actor=COMMAND, now=NOW) == 0
    assert await give_category(made, [person], actor=COMMAND, now=NOW) == 1
    await db.execute("DELETE FROM customer_category WHERE rule_id IS NOT NULL")
    assert [(one.is_in, one.rule) for one in await category_chips(person)] == [(True, None)]
    view = (await categories())[0]
    assert (view.size, view.by_hand, view.rules) == (1, 1, ("Big spenders",))


async def test_an_archived_category_is_not_given_and_a_call_has_a_size():
    made, person = await a_category(), (await a_customer()).id
    await archive_category(made, actor=COMMAND, now=NOW)
    with pytest.raises(Refused, match="category_is_archived"):
        await give_category(made, [person], actor=COMMAND, now=NOW)
    with pytest.raises(Invalid, match="too_many"):
        await give_category(made, range(PER_CALL + 1), actor=COMMAND, now=NOW)
    with pytest.raises(NotFound, match="category"):
        await give_category(999, [person], actor=COMMAND, now=NOW)


async def test_two_who_give_to_the_same_people_at_once_do_not_block_each_other_for_ever(monkeypatch):
    """Locked in the order in which they are named, some of them wait for each other and one is given up."""
    monkeypatch.setattr(db, "RETRIES", 1)
    made = [await a_category(name) for name in "ABCD"]
    people = [(await a_customer()).id for _ in range(200)]
    for _ in range(5):
        await asyncio.gather(
            *(give_category(one, ids, actor=COMMAND, now=NOW) for one in made for ids in (people, people[::-1]))
        )
        await asyncio.gather(
            *(take_category(one, ids, actor=COMMAND, now=NOW) for one in made for ids in (people, people[::-1]))
        )
    assert sum(one.size for one in await categories()) == 0


def test_the_next_colour_is_the_least_used():
    assert next_color([]) == "red"
    assert next_color(["red", "orange"]) == "amber"


async def test_classes_are_ordered_renamed_and_few():
    assert [(one.name, one.rank) for one in await importance_classes()] == [("1", 1), ("2", 2), ("3", 3)]
    first, _second, third = [one.id for one in await importance_classes()]
    await rename_class(third, "VIP", actor=COMMAND, now=NOW)
    await move_class(third, -1, actor=COMMAND, now=NOW)
    await move_class(first, -1, actor=COMMAND, now=NOW)
    assert [one.name for one in await importance_classes()] == ["1", "VIP", "2"]
    with pytest.raises(Invalid, match="label_taken"):
        await rename_class(first, "vip", actor=COMMAND, now=NOW)
    for number in range(CLASSES_AT_MOST - 3):
        await add_class(f"Class {number}", actor=COMMAND, now=NOW)
    with pytest.raises(Refused, match="too_many_classes"):
        await add_class("One more", actor=COMMAND, now=NOW)
    assert [one.rank for one in await importance_classes()] == list(range(1, CLASSES_AT_MOST + 1))


async def test_a_class_with_people_is_not_archived():
    person, top = (await a_customer()).id, (await importance_classes())[-1].id
    assert await set_importance([person], top, actor=COMMAND, now=NOW) == 1
    assert await set_importance([person], top, actor=COMMAND, now=NOW) == 0
    assert (await importance_of(person)).name == "3"
    with pytest.raises(Refused, match="importance_in_use") as refused:
        await archive_class(top, actor=COMMAND, now=NOW)
    assert refused.value.details == {"customers": 1}
    assert await set_importance([person], 0, actor=COMMAND, now=NOW) == 1
    await archive_class(top, actor=COMMAND, now=NOW)
    for unknown in (77, 99_999, -1):
        with pytest.raises(NotFound, match="importance"):
            await set_importance([person], unknown, actor=COMMAND, now=NOW)
    with pytest.raises(Refused, match="importance_is_archived"):
        await set_importance([person], top, actor=COMMAND, now=NOW)
    await restore_class(top, actor=COMMAND, now=NOW)
    await set_importance([person], top, actor=COMMAND, now=NOW)
    assert (await importance_classes())[-1].size == 1


async def test_a_class_set_by_a_rule_is_by_hand_once_somebody_sets_it():
    person, top = (await a_customer()).id, (await importance_classes())[-1].id
    rule = await a_rule("importance", top)
    await db.execute("UPDATE customer_facts SET importance_id = $1, importance_rule_id = $2", top, rule)
    assert (await importance_of(person)).rule == "Big spenders"
    assert await set_importance([person], top, actor=COMMAND, now=NOW) == 1
    assert (await importance_of(person)).rule is None


async def test_a_class_is_not_archived_while_somebody_comes_into_it():
    """Without the shared lock on the class one of twenty rounds ends with a customer in an archived class."""
    person = (await a_customer()).id
    for number in range(20):
        made = await add_class(f"Round {number}", actor=COMMAND, now=NOW)
        await asyncio.gather(
            set_importance([person], made, actor=COMMAND, now=NOW),
            archive_class(made, actor=COMMAND, now=NOW),
            return_exceptions=True,
        )
        bad = await db.fetch_value(
            "SELECT count(*) FROM customer_facts f JOIN importance_class i ON i.id = f.importance_id"
            " WHERE i.archived_at IS NOT NULL"
        )
        assert bad == 0
        await set_importance([person], 0, actor=COMMAND, now=NOW)
        await archive_class(made, actor=COMMAND, now=NOW)


async def test_sizes_leave_out_whoever_is_deleted_and_nobody_is_counted_who_need_not_be():
    here, gone = [(await a_customer()).id for _ in range(2)]
    category, top = await a_category(), (await importance_classes())[-1].id
    await give_category(category, [here], actor=COMMAND, now=NOW)
    await given_by_rule(category, gone)
    await set_importance([here, gone], top, actor=COMMAND, now=NOW)
    await delete_customers([gone], actor=COMMAND, now=NOW)
    [view] = await categories()
    assert (view.size, view.by_hand) == (1, 1)
    assert [one.size for one in await importance_classes()] == [0, 0, 1]
    await restore_customers([gone], actor=COMMAND, now=NOW)
    [view] = await categories()
    assert (view.size, view.by_hand) == (2, 1)
    assert [one.size for one in await importance_classes()] == [0, 0, 2]
    [view] = await categories(sized=False)
    assert (view.id, view.size, view.by_hand) == (category, 0, 0)
    assert [one.size for one in await importance_classes(sized=False)] == [0, 0, 0]
