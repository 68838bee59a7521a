"""A timeline has everything once, in order, in pages that neither lose nor repeat, and costs a page."""

from datetime import timedelta

import pytest

from loyalty import db
from loyalty.bonuses.actions.tiers import set_tier
from loyalty.customers.actions.categories import add_category, give_category, take_category
from loyalty.customers.actions.discounts import set_discount
from loyalty.customers.actions.importance import set_importance
from loyalty.customers.actions.notes import add_note
from loyalty.customers.actions.profile import set_consent
from loyalty.customers.labels import CategoryDraft
from loyalty.customers.rules import Topic
from loyalty.office.actions.merging import merge_cards, undo_merge
from loyalty.office.queries.timeline import HALVES, PAGE_ROWS, Group, Happening, statement, timeline
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.segments.actions.segments import add_member, add_segment, remove_member
from loyalty.segments.rules.segments import SegmentDraft
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_cashier, a_customer, a_location, a_programme, a_sale

pytestmark = pytest.mark.usefixtures("database")


async def everything(customer_id: int, *groups: Group, with_words: bool = True) -> list[Happening]:
    """All pages of a timeline."""
    found, place = await timeline(customer_id, groups=groups, with_words=with_words)
    while place is not None:
        more, place = await timeline(customer_id, groups=groups, with_words=with_words, before=place)
        found += more
    return found


async def a_chat(customer_id: int) -> int:
    account: int = await db.fetch_value(
        "INSERT INTO messenger_account (channel, address, customer_id, name, language, is_active, is_default,"
        " created_at) VALUES ('telegram', $1, $2, 'M', 'ru', true, true, $3) RETURNING id",
        str(customer_id),
        customer_id,
        NOW,
    )
    return account


MESSAGES = """
INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, created_at, attempts)
SELECT $1, $2, 'telegram', 'in', 'text', jsonb_build_object('text', 'Hello ' || n), 'received', 0,
    $3::timestamptz + n * interval '1 second', 0 FROM generate_series(1, $4::int) n
"""


async def test_a_life_is_told_newest_first():
    await a_programme()
    person, place, actor = await a_customer(bonuses=100_00), await a_location(), await a_cashier()
    at = [NOW + timedelta(minutes=step) for step in range(1, 12)]
    sale = await a_sale(person.id, place, 1_000_00, actor=actor, now=at[0])
    await refund_receipt(sale.receipt_id, amount=400_00, key="back", actor=actor, now=at[1])
    segment = await add_segment(SegmentDraft("Friends"), actor=COMMAND, now=NOW)
    office = await add_category(CategoryDraft("Office", "blue"), actor=COMMAND, now=NOW)
    await add_member(segment, person.id, actor=actor, now=at[2])
    await give_category(office, [person.id], actor=actor, now=at[3])
    await set_importance([person.id], 2, actor=actor, now=at[4])
    await set_discount(person.id, 500, actor=actor, now=at[5])
    await add_note(person.id, "Likes oat milk", actor=actor, now=at[6])
    await set_consent(
        person.id, Topic.MARKETING, granted=True, source="panel", text_version="1 en", actor=actor, now=at[7]
    )
    chat = await a_chat(person.id)
    await db.execute(MESSAGES, chat, person.id, at[8], 1)
    found = await everything(person.id)
    assert [(one.kind, one.what) for one in found] == [
        ("message", "text"),
        ("consent", "marketing"),
        ("note", ""),
        ("label_act", "discount.set"),
        ("label_act", "importance.set"),
        ("category", ""),
        ("segment", ""),
        ("receipt", "refund"),
        ("receipt", "sale"),
        ("step", "added"),
        ("bonuses", "adjust"),
    ]
    assert (found[0].words, found[2].words, found[4].label) == ("Hello 1", "Likes oat milk", "2")
    assert (found[5].label, found[5].color, found[5].staff_name) == ("Office", "blue", "Timur")
    assert (found[8].amount, found[8].location_name) == (1_000_00, "Tverskaya, 12")
    assert {one.kind for one in await everything(person.id, Group.LABELS)} == {"label_act", "category", "segment"}
    assert [one.kind for one in await everything(person.id, Group.MESSAGES)] == ["message"]
    assert (await everything(person.id, Group.MESSAGES, with_words=False))[0].words is None


async def test_what_was_given_and_taken_stays_in_it_as_two_acts():
    person, actor = await a_customer(), await a_cashier()
    segment = await add_segment(SegmentDraft("Friends"), actor=COMMAND, now=NOW)
    office = await add_category(CategoryDraft("Office", "blue"), actor=COMMAND, now=NOW)
    for step, (give, take) in enumerate(((add_member, remove_member),), 1):
        await give(segment, person.id, actor=actor, now=NOW + timedelta(minutes=step))
        await take(segment, person.id, actor=actor, now=NOW + timedelta(minutes=step + 1))
    await give_category(office, [person.id], actor=actor, now=NOW + timedelta(minutes=3))
    await take_category(office, [person.id], actor=actor, now=NOW + timedelta(minutes=4))
    await give_category(office, [person.id], actor=actor, now=NOW + timedelta(minutes=5))
    assert [(one.kind, one.what, one.label) for one in await everything(person.id, Group.LABELS)] == [
        ("category", "", "Office"),
        ("label_act", "category.taken", "Office"),
        ("label_act", "category.given", "Office"),
        ("label_act", "segment.member_removed", "Friends"),
        ("label_act", "segment.member_added", "Friends"),
    ]


async def test_a_level_by_hand_is_told_once():
    programme = await a_programme()
    person, actor = await a_customer(), await a_cashier()
    until = (NOW + timedelta(days=30)).date()
    await set_tier(person.id, programme.tiers[1].id, until, actor=actor, now=NOW + timedelta(minutes=1))
    told = [one for one in await everything(person.id) if one.kind in {"tier", "label_act"}]
    assert [(one.kind, one.what, one.amount, one.more) for one in told] == [("tier", "by_hand", 1, 0)]


async def test_pages_neither_lose_nor_repeat_though_times_are_the_same():
    person = await a_customer()
    chat = await a_chat(person.id)
    await db.execute(MESSAGES, chat, person.id, NOW, 130)
    await db.execute("UPDATE message SET created_at = $1 WHERE id BETWEEN 50 AND 60", NOW + timedelta(seconds=60))
    await db.execute(
        "INSERT INTO note (customer_id, staff_id, text, created_at) SELECT $1, $2, 'n', $3 FROM generate_series(1, 60)",
        person.id,
        (await a_cashier()).staff_id,
        NOW + timedelta(seconds=60),
    )
    found = await everything(person.id)
    places = [(one.at, one.kind, one.id) for one in found]
    assert len(set(places)) == len(places)
    assert places == sorted(places, reverse=True)
    assert len(places) == 60 + 1 + await db.fetch_value("SELECT count(*) FROM message")


async def test_messages_a_few_places_out_of_order_are_all_there():
    person = await a_customer()
    chat = await a_chat(person.id)
    await db.execute(MESSAGES, chat, person.id, NOW, 120)
    # Neighbours change places, as two doors that commit at once make them do.
    await db.execute("UPDATE message SET created_at = created_at + (id % 5) * interval '1.5 seconds'")
    found = await everything(person.id, Group.MESSAGES)
    assert len(found) == 120
    assert [one.at for one in found] == sorted((one.at for one in found), reverse=True)


async def test_an_account_that_changed_hands_tells_nothing_of_the_other_person():
    person, other = await a_customer(), await a_customer()
    chat = await a_chat(person.id)
    await db.execute(MESSAGES, chat, other.id, NOW, 2)
    await db.execute(MESSAGES, chat, person.id, NOW, 1)
    assert len(await everything(person.id, Group.MESSAGES)) == 1


async def test_a_merged_card_is_read_with_the_one_it_became():
    await a_programme()
    person, old, place = await a_customer(), await a_customer(bonuses=50_00), await a_location()
    await a_sale(old.id, place, 100_00)
    later = NOW + timedelta(minutes=1)
    merge = await merge_cards(old.id, person.id, actor=COMMAND, now=later)
    told = await everything(person.id)
    assert [(one.kind, one.what, one.ref) for one in told if one.kind in {"merge", "act"}] == [
        ("merge", "took", old.id)
    ]
    assert {"receipt", "bonuses", "step"} <= {one.kind for one in told if one.at == NOW}
    await undo_merge(merge, actor=COMMAND, now=later)
    told = await everything(person.id)
    assert [one.amount for one in told if one.kind == "merge"] == [1]
    assert "receipt" not in {one.kind for one in told}


async def test_appointments_to_come_stand_first():
    person, place = await a_customer(), await a_location()
    await db.execute(
        "INSERT INTO appointment (customer_id, location_id, starts_at, business_date, state, source, tips, created_at,"
        " created_via, updated_at) VALUES ($1, $2, $3, $4, 'planned', 'phone', 0, $5, 'panel', $5)",
        person.id,
        place,
        NOW + timedelta(days=3),
        (NOW + timedelta(days=3)).date(),
        NOW,
    )
    assert (await everything(person.id))[0].kind == "appointment"
    assert [one.what for one in await everything(person.id, Group.VISITS)] == ["planned"]


def test_every_group_has_its_kinds():
    assert {half.group for half in HALVES.values()} == set(Group)


async def test_a_regular_of_ten_thousand_receipts_costs_a_page():
    await a_programme()
    person, place = await a_customer(), await a_location()
    await a_sale(person.id, place, 100_00)
    chat = await a_chat(person.id)
    async with db.transaction():
        await db.execute("SET LOCAL session_replication_role = replica")
        await db.execute(
            "INSERT INTO receipt SELECT (jsonb_populate_record(r, jsonb_build_object('id', 1000 + n, 'external_id',"
            " 'many' || n, 'at', r.at - n * interval '1 hour'))).* FROM receipt r, generate_series(1, 10000) n",
        )
        await db.execute(
            "INSERT INTO bonus_entry SELECT (jsonb_populate_record(e, jsonb_build_object('id', 1000 + n,"
            " 'operation_id', 'many' || n, 'at', e.at - n * interval '1 hour'))).* FROM bonus_entry e,"
            " generate_series(1, 10000) n",
        )
        await db.execute(MESSAGES, chat, person.id, NOW - timedelta(days=400), 10_000)
        # And others, who are most of any base.
        await db.execute(
            "INSERT INTO bonus_entry SELECT (jsonb_populate_record(e, jsonb_build_object('id', 50000 + n,"
            " 'operation_id', 'others' || n, 'customer_id', 1000 + n % 500, 'receipt_id', NULL))).*"
            " FROM bonus_entry e, generate_series(1, 20000) n WHERE e.id = (SELECT min(id) FROM bonus_entry)",
        )
        await db.execute(
            "INSERT INTO message SELECT (jsonb_populate_record(m, jsonb_build_object('id', 50000 + n, 'account_id',"
            " 1000 + n % 500, 'customer_id', 1000 + n % 500))).*"
            " FROM message m, generate_series(1, 20000) n WHERE m.id = (SELECT min(id) FROM message)",
        )
        await db.execute("ANALYZE")
    found, place_of_next = await timeline(person.id, with_words=True)
    assert len(found) == PAGE_ROWS
    rows = await _plan(person.id)
    for node in rows:
        assert node["Node Type"] != "Seq Scan" or node["Relation Name"] in SMALL, node
    read = {
        node["Relation Name"]: node["Actual Rows"] * node["Actual Loops"] for node in rows if "Relation Name" in node
    }
    used = {node["Index Name"] for node in rows if "Index Name" in node}
    assert {"receipt_customer", "bonus_entry_by_itself", "message_account"} <= used, used
    for table in ("receipt", "bonus_entry", "message"):
        assert read[table] <= PAGE_ROWS + 30, (table, read)
    assert place_of_next is not None


SMALL = {
    "segment",
    "category",
    "importance_class",
    "label_rule",
    "staff_member",
    "location",
    "team_member",
    "merge",
    "segment_member",
    "customer_category",
    "fiscal_claim",
    "appointment",
    "survey_answer",
    "note",
    "task",
    "consent",
    "tier_change",
    "registration_step",
    "journal_entry",
    "messenger_account",
    "customer",
}
"""Tables that have a row or two in this base, which nobody looks up by an index."""


async def _plan(customer_id: int) -> list[dict]:
    params = (customer_id, None, "", 0, PAGE_ROWS + 1, True)
    explained = await db.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement(())}", *params)
    plan = db.from_json(next(iter(explained[0].values())))[0]["Plan"]
    nodes, left = [], [plan]
    while left:
        node = left.pop()
        nodes.append(node)
        left += node.get("Plans", [])
    return nodes
