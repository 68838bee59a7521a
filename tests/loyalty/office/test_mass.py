"""Acts on many customers: whom they concern, what they change, what they leave out and why, and taking it back."""

from datetime import timedelta

import pytest

from loyalty import db
from loyalty.bonuses.actions.manual import adjust
from loyalty.bonuses.actions.undoing import undo_adjustment
from loyalty.conversations.actions.delivery import lease_messages
from loyalty.customers.actions.archive import delete_customers, restore_customers
from loyalty.customers.actions.categories import add_category, archive_category, give_category, take_category
from loyalty.customers.actions.discounts import set_discount, undo_discount
from loyalty.customers.actions.importance import add_class, set_importance
from loyalty.customers.actions.profile import update_profile
from loyalty.customers.labels import CategoryDraft
from loyalty.customers.rules import Profile, Search, SearchKind
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.ids import new_key
from loyalty.office.actions.erasure import erase_customer
from loyalty.office.actions.mass import begin, cancel, finish, pause, resume, undo
from loyalty.office.actions.mass_work import work, work_due
from loyalty.office.mass import TICKED_AT_MOST, MassKind, Order
from loyalty.segments.actions.segments import add_member, add_segment
from loyalty.segments.queries.base import Look
from loyalty.segments.rules.segments import SegmentDraft
from loyalty.segments.rules.trees import Condition, Group
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_cashier, a_customer, a_location, a_programme, a_sale, an_account, assert_books_agree

LATER = NOW + timedelta(minutes=5)
RESTORED_NO_MORE = NOW + timedelta(days=31)


async def some(number: int = 3, **more) -> list[int]:
    return [(await a_customer(**more)).id for _ in range(number)]


async def a_category(name: str = "Office") -> int:
    return await add_category(CategoryDraft(name, "blue"), actor=COMMAND, now=NOW)


async def a_rule(target: str, value: int) -> int:
    return await db.fetch_value(
        "INSERT INTO label_rule (name, target, value, conditions, position, is_active, created_at, size)"
        " VALUES ('rule', $1, $2, '{\"all\": []}', 1, true, $3, 0) RETURNING id",
        target,
        value,
        NOW,
    )


async def act(order: Order, whom, *, actor=None, now=LATER, **more) -> int:
    action_id = await begin(order, whom, key=new_key(), actor=actor or await a_cashier(), now=now, **more)
    await finish(action_id, now=now)
    return action_id


async def take_back(action_id: int, *, now=LATER) -> int:
    undo_id = await undo(action_id, actor=await a_cashier(), now=now)
    await finish(undo_id, now=now)
    return undo_id


async def rows_of(action_id: int) -> dict[int, str]:
    """By customer the state, or why they were left out."""
    rows = await db.fetch("SELECT customer_id, state, reason FROM mass_action_row WHERE action_id = $1", action_id)
    return {row["customer_id"]: row["reason"] or row["state"] for row in rows}


async def action(action_id: int) -> tuple[str, int, int, int, int]:
    row = await db.fetch_row("SELECT state, total, done, skipped, failed FROM mass_action WHERE id = $1", action_id)
    return tuple((row or {}).values())


async def having(category_id: int) -> set[int]:
    rows = await db.fetch("SELECT customer_id FROM customer_category WHERE category_id = $1", category_id)
    return {row["customer_id"] for row in rows}


async def in_segment(segment_id: int) -> set[int]:
    rows = await db.fetch("SELECT customer_id FROM segment_member WHERE segment_id = $1", segment_id)
    return {row["customer_id"] for row in rows}


async def importance(customer_id: int) -> tuple[int, int]:
    row = await db.fetch_row(
        "SELECT importance_id, importance_rule_id FROM customer_facts WHERE customer_id = $1", customer_id
    )
    return tuple((row or {}).values())


async def balances(ids: list[int]) -> list[int]:
    rows = await db.fetch(
        "SELECT balance FROM customer_facts WHERE customer_id = ANY($1::bigint[]) ORDER BY customer_id", ids
    )
    return [row["balance"] for row in rows]


async def hidden() -> set[int]:
    return {row["id"] for row in await db.fetch("SELECT customer_id AS id FROM customer_facts WHERE is_hidden")}


async def test_a_category_is_given_to_everybody_who_is_found_and_taken_from_those_it_was_new_to(database):
    category_id = await a_category()
    one, two, three = await some()
    await give_category(category_id, [two], actor=COMMAND, now=NOW)
    given = await act(Order(MassKind.CATEGORY_GIVE, category_id), Look())
    assert await rows_of(given) == {one: "done", two: "has_it_already", three: "done"}
    assert await action(given) == ("done", 3, 2, 1, 0)
    assert await having(category_id) == {one, two, three}
    undone = await take_back(given)
    assert await having(category_id) == {two}
    assert (await action(given))[0] == "undone"
    assert await action(undone) == ("done", 2, 2, 0, 0)
    assert await take_back(given) == undone
    assert await having(category_id) == {two}


async def test_what_somebody_gave_again_since_stays_when_the_act_is_undone(database):
    category_id = await a_category()
    one, two = await some(2)
    given = await act(Order(MassKind.CATEGORY_GIVE, category_id), [one, two])
    await take_category(category_id, [one], actor=COMMAND, now=LATER)
    await give_category(category_id, [one], actor=COMMAND, now=LATER + timedelta(minutes=1))
    undone = await take_back(given)
    assert await rows_of(undone) == {one: "changed_since", two: "done"}
    assert await having(category_id) == {one}


@pytest.mark.parametrize("is_active", [True, False])
async def test_what_a_rule_had_given_is_the_rules_again_while_it_is_in_force(database, is_active):
    category_id, [one] = await a_category(), await some(1)
    rule_id = await a_rule("category", category_id)
    await db.execute(
        "INSERT INTO customer_category (category_id, customer_id, rule_id, added_at) VALUES ($1, $2, $3, $4)",
        category_id,
        one,
        rule_id,
        NOW,
    )
    given = await act(Order(MassKind.CATEGORY_GIVE, category_id), [one])
    assert await rows_of(given) == {one: "done"}
    await db.execute("UPDATE label_rule SET is_active = $1", is_active)
    await take_back(given)
    rules = await db.fetch("SELECT rule_id FROM customer_category WHERE customer_id = $1", one)
    assert [row["rule_id"] for row in rules] == ([rule_id] if is_active else [])


async def test_a_category_that_was_taken_from_many_comes_back_to_them_alone(database):
    category_id = await a_category()
    one, two = await some(2)
    await give_category(category_id, [one], actor=COMMAND, now=NOW)
    taken = await act(Order(MassKind.CATEGORY_TAKE, category_id), [one, two])
    assert await rows_of(taken) == {one: "done", two: "has_it_not"}
    assert await having(category_id) == set()
    await take_back(taken)
    assert await having(category_id) == {one}


@pytest.mark.parametrize("kind", [MassKind.SEGMENT_ADD, MassKind.SEGMENT_REMOVE])
async def test_many_go_into_a_segment_or_out_of_it_and_back(database, kind):
    segment_id = await add_segment(SegmentDraft("Neighbours", "", False), actor=COMMAND, now=NOW)
    one, two = await some(2)
    await add_member(segment_id, one, actor=COMMAND, now=NOW)
    moved = await act(Order(kind, segment_id), [one, two])
    is_adding = kind is MassKind.SEGMENT_ADD
    assert await in_segment(segment_id) == ({one, two} if is_adding else set())
    assert await rows_of(moved) == (
        {one: "has_it_already", two: "done"} if is_adding else {one: "done", two: "has_it_not"}
    )
    await take_back(moved)
    assert await in_segment(segment_id) == {one}


async def test_a_segment_with_conditions_takes_nobody_by_hand(database):
    tree = Group(parts=(Condition("visits", "between", "1.."),))
    segment_id = await add_segment(SegmentDraft("Regular", "", False, conditions=tree), actor=COMMAND, now=NOW)
    with pytest.raises(Refused, match="segment_has_conditions"):
        await act(Order(MassKind.SEGMENT_ADD, segment_id), await some(1))


async def test_each_has_the_importance_again_that_they_had(database):
    low, high = [await add_class(name, actor=COMMAND, now=NOW) for name in ("Low", "High")]
    one, two, three, four = await some(4)
    await set_importance([one], low, actor=COMMAND, now=NOW)
    await set_importance([three], high, actor=COMMAND, now=NOW)
    rule_id = await a_rule("importance", low)
    await db.execute(
        "UPDATE customer_facts SET importance_id = $2, importance_rule_id = $3 WHERE customer_id = $1",
        four,
        low,
        rule_id,
    )
    put = await act(Order(MassKind.IMPORTANCE, high), Look())
    assert [await importance(each) for each in (one, two, three, four)] == [(high, 0)] * 4
    assert (await rows_of(put))[three] == "has_it_already"
    await set_importance([two], low, actor=COMMAND, now=LATER)
    undone = await take_back(put)
    assert (await rows_of(undone))[two] == "changed_since"
    assert [await importance(each) for each in (one, two, three, four)] == [
        (low, 0),
        (low, 0),
        (high, 0),
        (low, rule_id),
    ]


async def discount(customer_id: int) -> tuple[int, int]:
    row = await db.fetch_row(
        "SELECT discount_bp, discount_rule_id FROM customer_facts WHERE customer_id = $1", customer_id
    )
    assert row is not None
    return row["discount_bp"], row["discount_rule_id"]


async def by_rule(customer_id: int, discount_bp: int) -> int:
    rule_id = await a_rule("discount", discount_bp)
    sql = "UPDATE customer_facts SET discount_bp = $2, discount_rule_id = $3 WHERE customer_id = $1"
    await db.execute(sql, customer_id, discount_bp, rule_id)
    return rule_id


async def test_a_discount_goes_to_all_and_each_has_theirs_again_that_nobody_has_changed_since(database):
    one, two, three, four, own = await some(5)
    for each, share in ((two, 300), (three, 700)):
        await set_discount(each, share, actor=COMMAND, now=NOW)
    rule_id = await by_rule(four, 500)
    phone = await db.fetch_value("SELECT phone FROM customer WHERE id = $1", own)
    cashier = await a_cashier(phone=phone)
    put = await act(Order(MassKind.DISCOUNT, 700), Look(), actor=cashier)
    assert [await discount(each) for each in (one, two, three, four, own)] == [(700, 0)] * 4 + [(0, 0)]
    told = await rows_of(put)
    assert (told[three], told[own]) == ("has_it_already", "own_account")
    await set_discount(two, 100, actor=COMMAND, now=LATER)
    undone = await take_back(put)
    assert (await rows_of(undone))[two] == "changed_since"
    assert [await discount(each) for each in (one, two, three, four)] == [(0, 0), (100, 0), (700, 0), (500, rule_id)]


async def test_a_discount_that_a_rule_gave_is_not_taken_away_by_hand_and_comes_back_as_the_rules(database):
    [one] = await some(1)
    rule_id = await by_rule(one, 500)
    put = await act(Order(MassKind.DISCOUNT, 0), [one])
    assert (await rows_of(put))[one] == "discount_is_by_rule"
    await set_discount(one, 900, actor=COMMAND, now=NOW)
    await undo_discount(one, actor=COMMAND, now=LATER)
    assert await discount(one) == (500, rule_id)
    with pytest.raises(Refused, match="changed_since"):
        await undo_discount(one, actor=COMMAND, now=LATER)


async def test_deleted_people_come_back_by_undoing_unless_somebody_else_deleted_them_since(database):
    one, two, three = await some()
    gone = await act(Order(MassKind.DELETE), [one, two])
    assert await hidden() == {one, two}
    await restore_customers([two], actor=COMMAND, now=LATER)
    await delete_customers([two], actor=COMMAND, now=LATER + timedelta(minutes=1))
    undone = await take_back(gone, now=LATER + timedelta(minutes=2))
    assert await rows_of(undone) == {one: "done", two: "changed_since"}
    assert await hidden() == {two}
    assert three not in await rows_of(gone)


async def test_nobody_comes_back_after_their_time(database):
    [one] = await some(1)
    gone = await act(Order(MassKind.DELETE), [one], now=NOW)
    assert await rows_of(await take_back(gone, now=RESTORED_NO_MORE)) == {one: "restore_is_over"}


async def test_bonuses_are_given_once_told_behind_everything_else_and_taken_back_where_nothing_came_of_them(database):
    place = await a_location()
    one, two, three = await some()
    await an_account(one)
    given = await act(Order(MassKind.BONUSES, amount=100_00, comment="Sorry for the queue"), Look())
    assert await balances([one, two, three]) == [100_00] * 3
    told = await db.fetch("SELECT kind, priority FROM message")
    assert [(row["kind"], row["priority"]) for row in told] == [("bonuses_credited", 2)]
    await a_sale(two, place, 1_000_00, burn=50_00, now=LATER)
    before = await balances([two])
    undone = await take_back(given)
    assert await rows_of(undone) == {one: "done", two: "bonuses_used", three: "done"}
    assert await balances([one, two, three]) == [0, *before, 0]
    assert await db.fetch_value("SELECT count(*) FROM bonus_entry WHERE corrects_id IS NOT NULL") == 2
    earned = await db.fetch_value("SELECT earned FROM customer_facts WHERE customer_id = $1", one)
    assert earned == 0
    await assert_books_agree(now=LATER)


async def test_who_is_told_with_many_others_is_not_told_at_night(database):
    one, two = await some(2)
    await an_account(one)
    await an_account(two)
    await act(Order(MassKind.BONUSES, amount=10_00, comment="Thanks"), [one])
    await adjust(two, 10_00, "Thanks", key="alone", actor=COMMAND, now=LATER)
    leased = await lease_messages("telegram:1", limit=5, now=LATER)
    assert [(message.customer_id, message.quiet_zone is not None) for message in leased] == [(two, False), (one, True)]


async def test_bonuses_are_taken_from_those_who_have_them_and_come_back_to_the_lots_they_were_of(database):
    one = (await a_customer(bonuses=300_00)).id
    two = (await a_customer(bonuses=10_00)).id
    lots = "SELECT id, remaining FROM bonus_lot WHERE customer_id = $1"
    before = await db.fetch(lots, one)
    taken = await act(Order(MassKind.BONUSES, amount=-50_00, comment="Given by mistake"), [one, two])
    assert await rows_of(taken) == {one: "done", two: "not_enough_bonuses"}
    assert await balances([one, two]) == [250_00, 10_00]
    await take_back(taken)
    assert await balances([one, two]) == [300_00, 10_00]
    assert await db.fetch(lots, one) == before
    await assert_books_agree(now=LATER)


async def test_nobody_gives_bonuses_to_themselves_nor_more_than_their_day_allows(database):
    await a_programme(manual_credit_day=150_00)
    own = (await a_customer(phone="+79161112233")).id
    one, two = await some(2)
    cashier = await a_cashier(phone="+79161112233")
    given = await act(Order(MassKind.BONUSES, amount=100_00, comment="Thanks"), Look(), actor=cashier)
    assert await rows_of(given) == {own: "own_account", one: "done", two: "manual_credits_of_day"}
    await a_programme(manual_credit_alone=99_00)
    with pytest.raises(Invalid, match="needs_second_person"):
        await act(Order(MassKind.BONUSES, amount=100_00, comment="Thanks"), Look(), actor=cashier)


async def test_who_is_of_an_act_is_settled_when_it_begins(database):
    category_id = await a_category()
    old = (await a_customer(name="Anna")).id
    leaving = (await a_customer(name="Anna")).id
    left = (await a_customer(name="Anna")).id
    await delete_customers([left], actor=COMMAND, now=NOW)
    look = Look(search=Search(SearchKind.NAME, "anna"))
    action_id = await begin(Order(MassKind.CATEGORY_GIVE, category_id), look, key="1", actor=COMMAND, now=NOW)
    new = (await a_customer(name="Anna")).id
    renamed = Profile("Berta", "+79160009988", None, None, None, "ru", None)
    await update_profile(old, renamed, actor=COMMAND, now=NOW)
    await delete_customers([leaving], actor=COMMAND, now=NOW)
    await finish(action_id, now=LATER)
    assert await rows_of(action_id) == {old: "done", leaving: "is_not_in_base"}
    assert not {new, left} & await having(category_id)


async def test_a_form_that_is_sent_twice_begins_once(database):
    ids = await some(2)
    order = Order(MassKind.BONUSES, amount=10_00, comment="Thanks")
    begun = [await begin(order, ids, key="form", actor=COMMAND, now=NOW) for _ in range(2)]
    assert begun[0] == begun[1]
    await work_due(now=NOW)
    await work_due(now=NOW)
    assert await balances(ids) == [10_00] * 2
    acts = await db.fetch("SELECT action FROM journal_entry WHERE subject_kind = 'mass_action' ORDER BY id")
    assert [row["action"] for row in acts] == ["mass_action.started", "mass_action.finished"]


@pytest.mark.parametrize("whom", [[], [987_654_321], Look(search=Search(SearchKind.NAME, "nobody"))])
async def test_an_act_on_nobody_is_none(database, whom):
    with pytest.raises(Refused, match="nobody_is_found"):
        await act(Order(MassKind.DELETE), whom)
    with pytest.raises(Refused, match="too_many_customers"):
        await act(Order(MassKind.DELETE), list(range(TICKED_AT_MOST + 1)))
    assert await db.fetch_value("SELECT count(*) FROM mass_action") == 0


@pytest.mark.parametrize(
    ("order", "error"),
    [
        (Order(MassKind.CATEGORY_GIVE, 77), NotFound("category")),
        (Order(MassKind.SEGMENT_ADD, 77), NotFound("segment")),
        (Order(MassKind.IMPORTANCE, 77), NotFound("importance")),
        (Order(MassKind.DISCOUNT, 10_001), Invalid("discount", "not_a_share")),
        (Order(MassKind.BONUSES, amount=0, comment="x"), Invalid("amount", "must_be_positive")),
        (Order(MassKind.BONUSES, amount=100, comment=" "), Invalid("comment", "required")),
    ],
)
async def test_what_cannot_be_done_is_not_begun(database, order, error):
    with pytest.raises(type(error), match=error.reason):
        await act(order, await some(1))


async def test_an_act_stands_still_goes_on_and_ends_between_two_transactions(database):
    category_id, ids = await a_category(), await some(4)
    owner = await a_cashier()
    order = Order(MassKind.BONUSES, amount=10_00, comment="Thanks")
    action_id = await begin(order, Look(), key="1", actor=owner, now=NOW)
    await pause(action_id, actor=owner, now=NOW)
    await pause(action_id, actor=owner, now=NOW)
    assert await work_due(now=NOW) == 0
    with pytest.raises(Refused, match="mass_action_runs"):
        await undo(action_id, actor=owner, now=NOW)
    await resume(action_id, actor=owner, now=LATER)
    assert await work(action_id, now=LATER) == len(ids)
    assert (await action(action_id))[0] == "done"
    for late in (pause, resume, cancel):
        with pytest.raises(Refused, match="mass_action_is_over"):
            await late(action_id, actor=owner, now=LATER)
    other = await begin(Order(MassKind.CATEGORY_GIVE, category_id), ids, key="2", actor=owner, now=NOW)
    await cancel(other, actor=owner, now=LATER)
    assert await work_due(now=LATER) == 0
    assert await having(category_id) == set()
    with pytest.raises(Refused, match="nothing_to_undo"):
        await undo(other, actor=owner, now=LATER)


async def test_what_was_changed_before_an_act_was_ended_can_be_undone_and_an_undo_cannot_be_ended(
    database, monkeypatch
):
    monkeypatch.setattr("loyalty.office.mass.ROWS", 2)
    category_id, ids, owner = await a_category(), await some(5), await a_cashier()
    action_id = await begin(Order(MassKind.CATEGORY_GIVE, category_id), Look(), key="1", actor=owner, now=NOW)
    await work(action_id, now=LATER)
    await cancel(action_id, actor=owner, now=LATER)
    assert await having(category_id) == set(ids[:2])
    assert await action(action_id) == ("cancelled", 5, 2, 0, 0)
    undo_id = await undo(action_id, actor=owner, now=LATER)
    await pause(undo_id, actor=owner, now=LATER)
    with pytest.raises(Refused, match="undo_goes_on"):
        await cancel(undo_id, actor=owner, now=LATER)
    await resume(undo_id, actor=owner, now=LATER)
    await work_due(now=LATER)
    assert await having(category_id) == set()
    with pytest.raises(Refused, match="nothing_to_undo"):
        await undo(undo_id, actor=owner, now=LATER)


async def test_a_category_that_is_archived_meanwhile_is_told_by_row(database):
    category_id, [one] = await a_category(), await some(1)
    action_id = await begin(Order(MassKind.CATEGORY_GIVE, category_id), [one], key="1", actor=COMMAND, now=NOW)
    await archive_category(category_id, actor=COMMAND, now=NOW)
    await finish(action_id, now=LATER)
    assert await rows_of(action_id) == {one: "category_is_archived"}


async def test_one_who_cannot_be_changed_does_not_hold_up_the_others(database):
    category_id = await a_category()
    one, two, three = await some()
    await db.execute(
        f"ALTER TABLE customer_category ADD CONSTRAINT for_this_test CHECK (customer_id <> {two}) NOT VALID"
    )
    try:
        given = await act(Order(MassKind.CATEGORY_GIVE, category_id), Look())
    finally:
        await db.execute("ALTER TABLE customer_category DROP CONSTRAINT for_this_test")
    assert await rows_of(given) == {one: "done", two: "not_done", three: "done"}
    assert await action(given) == ("done", 3, 2, 0, 1)


async def test_an_erased_persons_search_and_the_words_about_them_go(database):
    [one] = await some(1)
    order = Order(MassKind.BONUSES, amount=10_00, comment="For Maria")
    action_id = await act(order, [one], look={"q": "Мария", "f": "visits:between:1.."})
    await erase_customer(one, actor=COMMAND, now=LATER)
    row = await db.fetch_row("SELECT look, params FROM mass_action WHERE id = $1", action_id)
    assert row is not None
    assert db.from_json(row["look"]) == {"f": "visits:between:1.."}
    assert db.from_json(row["params"]) == {"amount": 10_00, "comment": ""}


async def test_an_act_of_one_kind_does_not_starve_the_others(database, monkeypatch):
    monkeypatch.setattr("loyalty.office.mass.ROWS", 1)
    ids, first, second = await some(3), await a_category("A"), await a_category("B")
    for key, category_id in enumerate((first, second)):
        await begin(Order(MassKind.CATEGORY_GIVE, category_id), ids, key=str(key), actor=COMMAND, now=NOW)
    assert await work_due(now=NOW, seconds=0) <= 2
    await work_due(now=NOW)
    assert await having(first) == await having(second) == set(ids)


async def test_a_key_of_somebody_elses_adjustment_is_not_undone(database):
    one, two = await some(2)
    await adjust(one, 10_00, "gift", key="k", actor=COMMAND, now=NOW)
    with pytest.raises(NotFound, match="entry"):
        await undo_adjustment(two, "k", actor=COMMAND, now=NOW)
    await undo_adjustment(one, "k", actor=COMMAND, now=NOW)
    await undo_adjustment(one, "k", actor=COMMAND, now=NOW)
    assert await balances([one]) == [0]
    await assert_books_agree()
