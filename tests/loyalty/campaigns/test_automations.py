"""Automations: whom each trigger finds and how often, what each step does, what ends a way, and that all is once."""

import asyncio
import functools
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from loyalty import db
from loyalty.bonuses.queries import account
from loyalty.campaigns.actions import beginning, stepping
from loyalty.campaigns.actions.automating import (
    add_automation,
    archive_automation,
    change_automation,
    restore_automation,
    switch_off,
    switch_on,
)
from loyalty.campaigns.actions.beginning import begin_due
from loyalty.campaigns.actions.stepping import step_due, take_step
from loyalty.campaigns.queries.automations import automation, dry_run, runs
from loyalty.campaigns.rules.automations import AutomationDraft, RunState, Step, StepKind
from loyalty.campaigns.rules.drafts import CampaignTopic, acknowledgement
from loyalty.campaigns.rules.texts import Words
from loyalty.customers.actions.archive import delete_customers
from loyalty.customers.actions.categories import add_category
from loyalty.customers.actions.profile import set_consent
from loyalty.customers.labels import CategoryDraft
from loyalty.customers.rules import Topic, Via
from loyalty.errors import Invalid, Refused
from loyalty.ids import new_key
from loyalty.office.actions.erasure import erase_customer
from loyalty.office.actions.merging import merge_cards, undo_merge
from loyalty.segments.actions.segments import add_member, add_segment
from loyalty.segments.rules.segments import SegmentDraft
from loyalty.segments.rules.trees import tree_from
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_customer, a_location, a_programme, a_sale, an_account, assert_books_agree

DAY = timedelta(days=1)
SOON = NOW + timedelta(minutes=1)
TELEGRAM = ("telegram",)


def says(text: str = "Ждём вас", topic: CampaignTopic = CampaignTopic.SERVICE, **fallbacks: Any) -> Step:
    return Step(StepKind.MESSAGE, words=Words({"ru": text}, fallbacks), topic=topic)


def gives(amount: int = 100_00) -> Step:
    return Step(StepKind.BONUS, amount=amount, days=30)


def waits(**much: int) -> Step:
    return Step(StepKind.WAIT, minutes=int(timedelta(**much).total_seconds() // 60))


async def an_automation(
    trigger: str, *steps: Step, conditions: str = "", now: datetime = NOW, is_on: bool = True, **params: int
) -> int:
    draft = AutomationDraft("Проба", trigger, params, conditions, steps or (gives(),))
    automation_id = await add_automation(draft, key=new_key(), actor=COMMAND, now=now)
    if is_on:
        await switch_on(automation_id, acknowledgement("ru"), working=TELEGRAM, actor=COMMAND, now=now)
    return automation_id


async def reached(automation_id: int) -> list[int]:
    """Who was begun with, in order of beginning, whoever they are as often as they were."""
    rows = await db.fetch(
        "SELECT customer_id FROM automation_run WHERE automation_id = $1 AND reason IS DISTINCT FROM 'was_there'"
        " ORDER BY id",
        automation_id,
    )
    return [row["customer_id"] for row in rows]


async def one_run(automation_id: int) -> db.Row:
    row = await db.fetch_row(
        "SELECT id, state, step, reason, due_at, outcomes FROM automation_run WHERE automation_id = $1", automation_id
    )
    assert row is not None
    return row


async def balance(customer_id: int) -> int:
    return (await account(customer_id, now=NOW)).balance


async def messages(customer_id: int) -> list[str]:
    rows = await db.fetch(
        "SELECT content->>'text' AS text FROM message WHERE customer_id = $1 AND kind = 'bulk' ORDER BY id", customer_id
    )
    return [row["text"] for row in rows]


async def someone(**about: Any) -> int:
    """A customer with a chat."""
    person = await a_customer(**about)
    await an_account(person.id)
    return person.id


@pytest.fixture
async def place(database) -> int:
    await a_programme()
    return await a_location()


# Triggers: whom they find, and once.


async def test_whoever_registers_after_it_was_switched_on_is_begun_with_once(place):
    await a_customer()
    automation_id = await an_automation("registered")
    fresh = (await a_customer()).id
    await db.execute("UPDATE customer_facts SET created_at = $2 WHERE customer_id = $1", fresh, SOON)
    by_file = (await a_customer()).id
    await db.execute("UPDATE customer_facts SET created_at = $2 WHERE customer_id = $1", by_file, SOON)
    await db.execute("UPDATE customer SET created_via = $2 WHERE id = $1", by_file, Via.IMPORT.value)
    assert await begin_due(now=SOON) == 1
    assert await begin_due(now=SOON + timedelta(minutes=1)) == 0
    assert await reached(automation_id) == [fresh]


async def test_a_receipt_of_enough_begins_once_each_and_none_of_before(place):
    person = (await a_customer()).id
    await a_sale(person, place, 900_00, now=NOW - timedelta(hours=1))
    automation_id = await an_automation("receipt", minimum=500_00)
    await a_sale(person, place, 600_00, now=SOON)
    await a_sale(person, place, 400_00, now=SOON)
    await begin_due(now=SOON)
    await a_sale(person, place, 700_00, now=SOON + timedelta(minutes=5))
    await begin_due(now=SOON + timedelta(minutes=5))
    await begin_due(now=SOON + timedelta(minutes=9))
    assert await reached(automation_id) == [person, person]


async def test_a_receipt_that_was_committed_late_is_met_all_the_same(place):
    person = (await a_customer()).id
    automation_id = await an_automation("receipt")
    await a_sale(person, place, 100_00, now=SOON)
    newest = await db.fetch_value("SELECT max(id) FROM receipt")
    await db.execute("UPDATE automation SET place = $2 WHERE id = $1", automation_id, newest + 100)
    await begin_due(now=SOON)
    assert await reached(automation_id) == [person]


async def test_the_second_visit_begins_on_the_second_day_alone(place):
    person = (await a_customer()).id
    automation_id = await an_automation("receipt", visit=2)
    for days in range(4):
        await a_sale(person, place, 100_00, now=NOW + days * DAY + timedelta(minutes=5))
        await begin_due(now=NOW + days * DAY + timedelta(minutes=6))
        assert await reached(automation_id) == ([person] if days else [])


async def test_silence_begins_once_for_each_last_visit_and_not_for_those_silent_before(place):
    old, person = (await a_customer()).id, (await a_customer()).id
    await a_sale(old, place, 100_00, now=NOW - 40 * DAY)
    await a_sale(person, place, 100_00, now=NOW - 29 * DAY)
    automation_id = await an_automation("no_visit", days=30)
    assert await begin_due(now=SOON) == 0
    assert await begin_due(now=NOW + DAY + timedelta(hours=1)) == 1
    assert await begin_due(now=NOW + DAY + timedelta(hours=2)) == 0
    back = NOW + 5 * DAY
    await a_sale(person, place, 100_00, now=back)
    assert await begin_due(now=back + 29 * DAY) == 0
    assert await begin_due(now=back + 30 * DAY + timedelta(hours=1)) == 1
    assert await reached(automation_id) == [person, person]


async def test_who_fell_silent_while_nothing_ran_for_long_is_let_be(place):
    person = (await a_customer()).id
    await a_sale(person, place, 100_00, now=NOW - 29 * DAY)
    automation_id = await an_automation("no_visit", days=30)
    await begin_due(now=NOW + 5 * DAY)
    assert await reached(automation_id) == []


async def test_bonuses_about_to_expire_begin_once_a_day_of_expiry(place):
    person = (await a_customer(bonuses=100_00)).id
    await db.execute("UPDATE bonus_lot SET expires_at = $2 WHERE customer_id = $1", person, NOW + 8 * DAY)
    automation_id = await an_automation("expiring", says(), days=7)
    assert await begin_due(now=SOON) == 0
    assert await begin_due(now=NOW + DAY + timedelta(hours=1)) == 1
    assert await begin_due(now=NOW + DAY + timedelta(hours=2)) == 0
    assert await reached(automation_id) == [person]


@pytest.mark.parametrize(
    ("born", "today", "days", "is_found"),
    [
        (date(1990, 3, 12), date(2026, 3, 12), 0, True),
        (date(1990, 3, 15), date(2026, 3, 12), 3, True),
        (date(1990, 3, 16), date(2026, 3, 12), 3, False),
        (date(1992, 2, 29), date(2027, 2, 28), 0, True),
        (date(1992, 2, 29), date(2028, 2, 28), 0, False),
        (date(1992, 2, 29), date(2028, 2, 29), 0, True),
        (date(1990, 1, 2), date(2026, 12, 30), 3, True),
    ],
)
async def test_a_birthday_begins_so_many_days_before_it(place, born, today, days, is_found):
    person = (await a_customer(birthday=born)).id
    at = datetime.combine(today, NOW.timetz())
    automation_id = await an_automation("birthday", now=at - DAY, days=days)
    await begin_due(now=at - DAY + timedelta(minutes=1))
    before = await reached(automation_id)
    await begin_due(now=at)
    await begin_due(now=at + timedelta(hours=1))
    assert (before, await reached(automation_id)) == ([], [person] if is_found else [])


async def test_a_level_that_rises_begins_and_one_that_falls_does_not(place):
    person = (await a_customer()).id
    rising, any_way = await an_automation("tier", up=1), await an_automation("tier", up=0)
    change = (
        "INSERT INTO tier_change (customer_id, tier_id, previous_tier_id, reason, at)"
        " VALUES ($1, $2, $3, 'by_hand', $4)"
    )
    tiers = [one.id for one in (await a_programme()).tiers]
    await db.execute(change, person, tiers[1], tiers[0], SOON)
    await db.execute(change, person, tiers[0], tiers[1], SOON)
    await begin_due(now=SOON)
    await begin_due(now=SOON + timedelta(minutes=1))
    assert (await reached(rising), await reached(any_way)) == ([person], [person, person])


async def an_answer(customer_id: int, score: int, at: datetime) -> None:
    invitation_id = await db.fetch_value(
        "INSERT INTO survey_invitation (key, customer_id, state, due_at, created_at)"
        " VALUES ($1, $2, 'answered', $3, $3)"
        " RETURNING id",
        new_key(),
        customer_id,
        at,
    )
    await db.execute(
        "INSERT INTO survey_answer (invitation_id, customer_id, score, channel, answered_at)"
        " VALUES ($1, $2, $3, 'telegram', $4)",
        invitation_id,
        customer_id,
        score,
        at,
    )


async def test_a_low_score_begins_and_a_high_one_does_not(place):
    low, high = (await a_customer()).id, (await a_customer()).id
    automation_id = await an_automation("low_nps", score=6)
    await an_answer(low, 6, SOON)
    await an_answer(high, 7, SOON)
    await begin_due(now=SOON)
    await begin_due(now=SOON + timedelta(minutes=1))
    assert await reached(automation_id) == [low]


async def test_coming_into_a_segment_by_hand_begins_and_being_there_does_not(place):
    there, fresh = (await a_customer()).id, (await a_customer()).id
    segment_id = await add_segment(SegmentDraft("Свои"), actor=COMMAND, now=NOW)
    await add_member(segment_id, there, actor=COMMAND, now=NOW - DAY)
    automation_id = await an_automation("segment", segment=segment_id)
    await add_member(segment_id, fresh, actor=COMMAND, now=SOON)
    await begin_due(now=SOON + timedelta(seconds=1))
    assert await reached(automation_id) == [fresh]


async def test_whoever_meets_a_segments_conditions_later_begins_and_who_met_them_before_does_not(place):
    there, fresh = (await a_customer()).id, (await a_customer()).id
    await a_sale(there, place, 1_000_00, now=NOW - DAY)
    conditions = tree_from("sold:between:50000..")
    segment_id = await add_segment(SegmentDraft("Щедрые", conditions=conditions), actor=COMMAND, now=NOW)
    automation_id = await an_automation("segment", segment=segment_id)
    await begin_due(now=SOON)
    assert await reached(automation_id) == []
    await a_sale(fresh, place, 1_000_00, now=SOON)
    await begin_due(now=SOON + timedelta(hours=1))
    await begin_due(now=SOON + timedelta(hours=2))
    assert await reached(automation_id) == [fresh]


async def a_booking(customer_id: int, place: int, at: datetime, state: str = "planned") -> int:
    found: int = await db.fetch_value(
        "INSERT INTO appointment (customer_id, location_id, starts_at, business_date, state, source, tips, created_at,"
        " created_via, updated_at) VALUES ($1, $2, $3, $4, $5, 'phone', 0, $6, 'panel', $6) RETURNING id",
        customer_id,
        place,
        at,
        at.date(),
        state,
        NOW - DAY,
    )
    return found


async def test_a_booking_of_tomorrow_begins_and_ends_when_it_is_called_off(place):
    person = (await a_customer()).id
    booking = await a_booking(person, place, NOW + DAY)
    await a_booking(person, place, NOW + 3 * DAY)
    await a_booking(person, place, NOW + DAY, "cancelled")
    automation_id = await an_automation("booking", waits(hours=1), gives())
    await begin_due(now=SOON)
    await begin_due(now=SOON + timedelta(minutes=2))
    assert await reached(automation_id) == [person]
    await step_due(now=SOON)
    await db.execute("UPDATE appointment SET state = 'cancelled' WHERE id = $1", booking)
    await step_due(now=SOON + timedelta(hours=2))
    run = await one_run(automation_id)
    assert (run["state"], run["reason"], await balance(person)) == ("stopped", "no_longer_so", 0)


async def test_who_does_not_meet_its_conditions_is_not_begun_with(place):
    person, other = (await a_customer()).id, (await a_customer()).id
    await a_sale(person, place, 1_000_00, now=NOW - DAY)
    automation_id = await an_automation("receipt", conditions="sold:between:150000..")
    for one in (person, other):
        await a_sale(one, place, 600_00, now=SOON)
    await begin_due(now=SOON)
    assert await reached(automation_id) == [person]


# Steps.


async def begun(*steps: Step) -> tuple[int, int]:
    """Somebody who has just registered, on their way: the automation, and who."""
    automation_id, person = await an_automation("registered", *steps), await someone()
    await db.execute("UPDATE customer_facts SET created_at = $2 WHERE customer_id = $1", person, SOON)
    assert await begin_due(now=SOON) == 1
    return automation_id, person


async def test_each_step_does_its_own_in_order(place):
    category = await add_category(CategoryDraft("Новые", "teal"), actor=COMMAND, now=NOW)
    segment = await add_segment(SegmentDraft("Позвонить"), actor=COMMAND, now=NOW)
    automation_id, person = await begun(
        says("{first_name}, вам {bonus}"),
        gives(150_00),
        Step(StepKind.CATEGORY, id=category),
        Step(StepKind.SEGMENT, id=segment),
        Step(StepKind.TASK, title="Позвонить", days=2),
    )
    assert await step_due(now=SOON) == 5
    run = await one_run(automation_id)
    assert (run["state"], await messages(person)) == ("done", ["Мария, вам 150\N{NO-BREAK SPACE}бонусов"])
    assert await balance(person) == 150_00
    assert await db.fetch_value("SELECT count(*) FROM customer_category WHERE customer_id = $1", person) == 1
    assert await db.fetch_value("SELECT count(*) FROM segment_member WHERE customer_id = $1", person) == 1
    task = await db.fetch_row("SELECT title, origin, due_at, customer_id FROM task")
    assert task == {"title": "Позвонить", "origin": "automation", "due_at": SOON + 2 * DAY, "customer_id": person}
    await assert_books_agree(now=SOON)


async def test_a_wait_lasts_as_long_as_it_says(place):
    automation_id, person = await begun(waits(days=3), gives())
    await step_due(now=SOON)
    assert (await one_run(automation_id))["due_at"] == SOON + 3 * DAY
    assert await step_due(now=SOON + 3 * DAY - timedelta(minutes=1)) == 0
    await step_due(now=SOON + 3 * DAY)
    assert await balance(person) == 100_00


async def test_who_does_not_meet_a_condition_on_the_way_goes_no_further(place):
    came_back = Step(StepKind.CONDITION, filter="visits:between:1..")
    automation_id, person = await begun(came_back, gives())
    await step_due(now=SOON)
    run = await one_run(automation_id)
    assert (run["state"], run["reason"], await balance(person)) == ("stopped", "condition_not_met", 0)


async def test_advertising_goes_by_those_who_did_not_agree_to_it_and_the_way_goes_on(place):
    automation_id, person = await begun(says(topic=CampaignTopic.MARKETING), gives())
    await step_due(now=SOON)
    run = await one_run(automation_id)
    told = db.from_json(run["outcomes"])
    assert [(one["outcome"], one["reason"]) for one in told] == [("passed", "no_consent"), ("done", None)]
    assert (await messages(person), await balance(person)) == ([], 100_00)


async def test_advertising_goes_to_those_who_agreed(place):
    _automation_id, person = await begun(says(topic=CampaignTopic.MARKETING))
    await set_consent(person, Topic.MARKETING, granted=True, source="bot", text_version="1", actor=COMMAND, now=NOW)
    await step_due(now=SOON)
    assert await messages(person) == ["Ждём вас"]


async def test_a_message_that_is_days_late_is_gone_by(place):
    automation_id, person = await begun(says())
    await step_due(now=SOON + 4 * DAY)
    told = db.from_json((await one_run(automation_id))["outcomes"])
    assert (told[0]["reason"], await messages(person)) == ("too_late", [])


# Once, whatever happens.


async def test_two_workers_take_a_step_once(place):
    automation_id, person = await begun(gives(), waits(days=1), gives())
    run = await one_run(automation_id)
    await asyncio.gather(*(take_step(run["id"], person, now=SOON) for _ in range(4)))
    await asyncio.gather(*(step_due(now=SOON) for _ in range(3)))
    assert await balance(person) == 100_00
    await assert_books_agree(now=SOON)


async def test_two_workers_begin_with_everybody_once(place):
    automation_id = await an_automation("registered")
    people = [(await a_customer()).id for _ in range(5)]
    await db.execute("UPDATE customer_facts SET created_at = $2 WHERE customer_id = ANY($1::bigint[])", people, SOON)
    await asyncio.gather(*(begin_due(now=SOON) for _ in range(4)))
    assert await reached(automation_id) == people


async def test_more_people_than_one_look_takes_are_all_begun_with(place, monkeypatch):
    monkeypatch.setattr(beginning, "begin_some", functools.partial(beginning.begin_some, limit=2))
    automation_id = await an_automation("receipt")
    people = [(await a_customer()).id for _ in range(5)]
    for person in people:
        await a_sale(person, place, 100_00, now=SOON)
    assert await begin_due(now=SOON) == 5
    assert sorted(await reached(automation_id)) == people


async def test_a_step_that_dies_before_its_end_is_done_once_when_it_is_tried_again(place, monkeypatch):
    automation_id, person = await begun(gives(), says())
    go_on = stepping._go_on

    async def dies(*_args: Any) -> None:
        raise RuntimeError("the power is gone")

    monkeypatch.setattr(stepping, "_go_on", dies)
    await step_due(now=SOON)
    assert (await balance(person), (await one_run(automation_id))["step"]) == (0, 0)
    monkeypatch.setattr(stepping, "_go_on", go_on)
    await step_due(now=SOON + timedelta(hours=1))
    assert (await balance(person), len(await messages(person))) == (100_00, 1)


async def test_what_breaks_again_and_again_is_given_up_and_keeps_nobody_waiting(place, monkeypatch):
    automation_id, _person = await begun(says())

    async def dies(*_args: Any) -> None:
        raise RuntimeError("never")

    monkeypatch.setattr(stepping, "_write", dies)
    for hours in range(6):
        await step_due(now=SOON + timedelta(hours=hours))
    run = await one_run(automation_id)
    assert (run["state"], run["reason"]) == ("failed", "unexpected")


# On, off, changed.


async def test_off_it_begins_with_nobody_and_ends_the_way_of_whoever_is_on_it(place):
    automation_id, person = await begun(waits(days=1), gives())
    await step_due(now=SOON)
    assert await switch_off(automation_id, actor=COMMAND, now=SOON) == 1
    assert await switch_off(automation_id, actor=COMMAND, now=SOON) == 0
    await step_due(now=SOON + 2 * DAY)
    assert await begin_due(now=SOON + 2 * DAY) == 0
    run = await one_run(automation_id)
    assert (run["state"], run["reason"], await balance(person)) == ("stopped", "switched_off", 0)


async def test_switched_on_again_nobody_goes_the_same_way_twice(place):
    automation_id, person = await begun(gives())
    await step_due(now=SOON)
    await switch_off(automation_id, actor=COMMAND, now=SOON)
    await switch_on(automation_id, None, working=TELEGRAM, actor=COMMAND, now=SOON - timedelta(minutes=1))
    await begin_due(now=SOON + timedelta(minutes=1))
    await step_due(now=SOON + timedelta(minutes=1))
    assert (await reached(automation_id), await balance(person)) == ([person], 100_00)


async def test_what_is_on_is_not_changed_and_what_advertises_asks_for_a_word(place):
    draft = AutomationDraft("Проба", "registered", {}, "", (says(topic=CampaignTopic.MARKETING),))
    automation_id = await add_automation(draft, key="k", actor=COMMAND, now=NOW)
    assert await add_automation(draft, key="k", actor=COMMAND, now=NOW) == automation_id
    with pytest.raises(Invalid, match="required"):
        await switch_on(automation_id, None, working=TELEGRAM, actor=COMMAND, now=NOW)
    with pytest.raises(Refused, match="no_channel_works"):
        await switch_on(automation_id, acknowledgement("ru"), working=(), actor=COMMAND, now=NOW)
    await switch_on(automation_id, acknowledgement("ru"), working=TELEGRAM, actor=COMMAND, now=NOW)
    view = await automation(automation_id, now=NOW)
    assert (view.is_on, view.acknowledged_text) == (True, acknowledgement("ru").text)
    with pytest.raises(Refused, match="automation_is_on"):
        await change_automation(automation_id, draft, actor=COMMAND, now=NOW)
    await archive_automation(automation_id, actor=COMMAND, now=NOW)
    with pytest.raises(Refused, match="automation_is_archived"):
        await switch_on(automation_id, acknowledgement("ru"), working=TELEGRAM, actor=COMMAND, now=NOW)
    await restore_automation(automation_id, actor=COMMAND, now=NOW)
    await change_automation(automation_id, replace(draft, name="Другая"), actor=COMMAND, now=NOW)
    assert (await automation(automation_id, now=NOW)).draft.name == "Другая"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": " "}, "name"),
        ({"steps": ()}, "steps"),
        ({"trigger": "moon"}, "trigger"),
        ({"trigger": "no_visit", "params": {"days": 0}}, "days"),
        ({"trigger": "segment"}, "segment"),
        ({"conditions": "nothing"}, "filter"),
        ({"steps": (says("{bonus}"),)}, "1-text-ru"),
        ({"steps": (says(""),)}, "1-text-ru"),
        ({"steps": (gives(), Step(StepKind.WAIT))}, "2-minutes"),
        ({"steps": (Step(StepKind.CONDITION),)}, "1-filter"),
        ({"steps": (Step(StepKind.SEGMENT, id=77),)}, "1-id"),
        ({"steps": (Step(StepKind.TASK, title="Звонок", assignee_id=77),)}, "1-assignee"),
    ],
)
async def test_what_cannot_be_kept_says_which_field_is_wrong(place, changes, field):
    draft = replace(AutomationDraft("Проба", "registered", {}, "", (gives(),)), **changes)
    with pytest.raises(Invalid) as refused:
        await add_automation(draft, key=new_key(), actor=COMMAND, now=NOW)
    assert refused.value.field == field


# People who go.


async def test_who_is_erased_or_deleted_goes_no_further(place):
    automation_id, person = await begun(waits(days=1), gives())
    await step_due(now=SOON)
    await erase_customer(person, actor=COMMAND, now=SOON)
    run = await one_run(automation_id)
    assert (run["state"], run["reason"]) == ("stopped", "is_not_in_base")
    other_id, other = await begun(waits(days=1), gives())
    await step_due(now=SOON)
    await delete_customers([other], actor=COMMAND, now=SOON)
    await step_due(now=SOON + 2 * DAY)
    assert (await one_run(other_id))["reason"] == "is_not_in_base"


async def test_the_survivor_of_a_merge_goes_on_once_and_parted_each_has_their_own(place):
    automation_id, merged = await begun(waits(days=1), gives())
    survivor = await someone()
    await step_due(now=SOON)
    merge_id = await merge_cards(merged, survivor, actor=COMMAND, now=SOON)
    assert await reached(automation_id) == [survivor]
    await undo_merge(merge_id, actor=COMMAND, now=SOON)
    assert await reached(automation_id) == [merged]
    await db.execute("UPDATE customer_facts SET created_at = $2 WHERE customer_id = $1", survivor, SOON)
    await begin_due(now=SOON + timedelta(minutes=1))
    await merge_cards(merged, survivor, actor=COMMAND, now=SOON + timedelta(minutes=2))
    for later in (2, 3):
        await step_due(now=SOON + later * DAY)
    assert (await balance(survivor), await balance(merged)) == (100_00, 0)
    found, _older = await runs(automation_id, state=RunState.DONE)
    assert [one.customer_id for one in found] == [survivor]
    await assert_books_agree(now=SOON + 3 * DAY)


# A dry run.


async def test_a_dry_run_counts_people_and_times_as_a_plain_recount_does(place):
    people = [(await a_customer()).id for _ in range(3)]
    times = {0: [3, 20, 80, 100], 1: [5], 2: []}
    for number, days in times.items():
        for ago in days:
            await a_sale(people[number], place, 600_00, now=NOW - ago * DAY)
    draft = AutomationDraft("Проба", "receipt", {"minimum": 500_00, "visit": 0}, "", (says(),))
    found = await dry_run(draft, now=NOW)
    assert found is not None
    assert (found.people, found.times, found.several, found.capped) == (2, 4, 1, 0)
    silent = replace(draft, trigger="no_visit", params={"days": 30})
    found = await dry_run(silent, now=NOW)
    assert found is not None
    # The first stayed away from 80 days ago to 20 days ago; nobody else for so long, within the ninety days.
    assert (found.people, found.times) == (1, 1)


@pytest.mark.parametrize(
    ("trigger", "params"),
    [
        ("registered", {}),
        ("receipt", {"minimum": 0, "visit": 2}),
        ("expiring", {"days": 7}),
        ("birthday", {"days": 3}),
        ("tier", {"up": 1}),
        ("low_nps", {"score": 6}),
        ("booking", {}),
    ],
)
async def test_every_trigger_can_be_asked_of_the_past(place, trigger, params):
    assert await dry_run(AutomationDraft("Проба", trigger, params, "", (says(),)), now=NOW) is not None


async def test_of_conditions_nobody_wrote_down_the_past_is_not_told(place):
    tree = tree_from("sold:between:50000..")
    segment_id = await add_segment(SegmentDraft("Щедрые", conditions=tree), actor=COMMAND, now=NOW)
    assert await dry_run(AutomationDraft("Проба", "segment", {"segment": segment_id}, "", (says(),)), now=NOW) is None
