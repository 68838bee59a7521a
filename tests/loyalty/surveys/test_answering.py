"""What people answer, how it may change, what comes of it once; merging, erasing, the proof of it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from loyalty import db
from loyalty.bonuses.queries import account
from loyalty.errors import Invalid, NotFound, Refused
from loyalty.office.actions.erasure import erase_customer
from loyalty.office.actions.merging import merge_cards, undo_merge
from loyalty.office.queries.own_data import own_data
from loyalty.office.queries.timeline import timeline
from loyalty.office.queries.verify import verify
from loyalty.staff.rules import COMMAND
from loyalty.surveys.actions.answering import answer, comment
from loyalty.surveys.actions.asking import ask_due, invite_due
from loyalty.surveys.actions.programme import set_programme
from loyalty.surveys.queries.asked import question_in
from loyalty.surveys.queries.programme import survey_programme
from loyalty.surveys.rules import Group, ProgrammeDraft
from tests.builders import NOW, a_cashier, a_customer, a_location, a_programme, a_sale, an_account, assert_books_agree

ON = ProgrammeDraft(is_on=True, delay_hours=0, bonus=50_00)
LATER = NOW + timedelta(minutes=5)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
async def _shop(database):
    await a_programme()
    await turn_on()


async def turn_on(**changes) -> None:
    seen = (await survey_programme()).updated_at
    draft = replace(ON, **changes)
    await set_programme(draft, seen=seen, actor=COMMAND, now=NOW - DAY)


async def asked(customer_id: int | None = None, *, now=NOW) -> tuple[int, int]:
    """(somebody who was asked after a purchase, their invitation)."""
    if customer_id is None:
        customer_id = (await a_customer()).id
        await an_account(customer_id)
    place = await db.fetch_value("SELECT id FROM location LIMIT 1") or await a_location()
    await a_sale(customer_id, place, 500_00, actor=await a_cashier(), now=now)
    await invite_due(now=now)
    await ask_due(now=now)
    newest = "SELECT max(id) FROM survey_invitation WHERE customer_id = $1"
    return customer_id, await db.fetch_value(newest, customer_id)


async def say(invitation: int, person: int, score: int, *, now=LATER):
    return await answer(invitation, person, score, channel="telegram", now=now)


async def facts(customer_id: int) -> tuple[int, object]:
    row = await db.fetch_row("SELECT nps, nps_at FROM customer_facts WHERE customer_id = $1", customer_id)
    assert row is not None
    return row["nps"], row["nps_at"]


async def test_a_score_is_kept_once_stands_in_the_facts_and_may_be_changed_for_a_day():
    person, invitation = await asked()
    assert await facts(person) == (-1, (await db.fetch_value("SELECT '1970-01-01+00'::timestamptz")))
    first = await say(invitation, person, 9)
    assert (first.group, first.before, first.bonus, first.is_repeated) == (Group.PROMOTER, None, 50_00, False)
    again = await say(invitation, person, 9, now=LATER + timedelta(days=3))
    assert (again.is_repeated, again.bonus) == (True, 0)
    changed = await say(invitation, person, 7, now=LATER + DAY - timedelta(seconds=1))
    assert (changed.before, changed.has_moved, changed.bonus) == (9, True, 0)
    assert await facts(person) == (7, LATER)
    with pytest.raises(Refused) as final:
        await say(invitation, person, 8, now=LATER + DAY)
    assert final.value.reason == "survey_answer_is_final"
    row = await db.fetch_row("SELECT * FROM survey_answer")
    assert row is not None
    assert (row["score"], row["answered_at"], row["changed_at"]) == (7, LATER, LATER + DAY - timedelta(seconds=1))
    assert row["cashier_id"] is not None
    assert await db.fetch_value("SELECT state FROM survey_invitation") == "answered"
    await assert_books_agree(now=LATER)


async def test_what_was_not_asked_of_somebody_is_not_answered_by_them():
    person, invitation = await asked()
    other = (await a_customer()).id
    for wrong in ((invitation, other), (invitation + 1, person), (2**62, person)):
        with pytest.raises(NotFound):
            await say(*wrong, 9)
    with pytest.raises(Invalid):
        await say(invitation, person, 11)
    with pytest.raises(Refused) as over:
        await say(invitation, person, 9, now=NOW + timedelta(days=30))
    assert over.value.reason == "survey_is_over"


async def test_the_bonus_comes_once_in_a_lifetime():
    person, invitation = await asked()
    await say(invitation, person, 10)
    _, second = await asked(person, now=NOW + timedelta(days=91))
    assert second != invitation
    done = await say(second, person, 10, now=NOW + timedelta(days=91, minutes=1))
    assert done.bonus == 0
    gifts = await db.fetch("SELECT amount FROM bonus_entry WHERE event = 'survey'")
    assert [row["amount"] for row in gifts] == [50_00]
    assert await db.fetch_value("SELECT count(*) FROM bonus_lot WHERE source = 'survey'") == 1
    # The same phone again, after everything was erased, is the same person.
    phone = await db.fetch_value("SELECT phone FROM customer WHERE id = $1", person)
    await erase_customer(person, actor=COMMAND, now=NOW + timedelta(days=92))
    back = (await a_customer(phone=phone)).id
    await an_account(back)
    _, third = await asked(back, now=NOW + timedelta(days=93))
    assert (await say(third, back, 10, now=NOW + timedelta(days=93, minutes=1))).bonus == 0


async def test_a_low_score_makes_one_task_with_a_reminder_however_often_it_changes():
    boss = await a_cashier()
    await turn_on(assignee_id=boss.staff_id)
    person, invitation = await asked()
    await say(invitation, person, 8)
    assert await db.fetch_value("SELECT count(*) FROM task") == 0
    for score in (3, 9, 0, 3):
        await say(invitation, person, score)
    [task] = await db.fetch("SELECT * FROM task")
    assert (task["title"], task["customer_id"], task["assignee_id"]) == ("NPS 3 · Tverskaya, 12", person, boss.staff_id)
    assert (task["origin"], task["key"], task["remind_at"]) == ("survey", f"survey:{invitation}", LATER)
    await turn_on(makes_tasks=False, assignee_id=boss.staff_id)
    other, second = await asked()
    await say(second, other, 0)
    assert await db.fetch_value("SELECT count(*) FROM task") == 1


async def test_two_presses_at_once_are_one_answer_one_bonus_and_one_task():
    person, invitation = await asked()
    done = await asyncio.gather(*(say(invitation, person, score) for score in (2, 3, 4, 5, 6, 6)))
    assert sum(one.bonus for one in done) == 50_00
    assert sum(one.before is None for one in done) == 1
    assert await db.fetch_value("SELECT count(*) FROM survey_answer") == 1
    assert await db.fetch_value("SELECT count(*) FROM task") == 1
    assert (await account(person, now=LATER)).balance == 50_00 + 25_00
    await assert_books_agree(now=LATER)


async def test_the_first_words_within_a_day_in_the_same_chat_are_the_comment():
    person, invitation = await asked()
    assert await comment(person, "too early", channel="telegram", now=LATER) is None
    await say(invitation, person, 9)
    assert await comment(person, "elsewhere", channel="whatsapp", now=LATER) is None
    assert await comment(person, " \x00 ", channel="telegram", now=LATER) is None
    assert (
        await comment(person, "Great coffee", channel="telegram", now=LATER + DAY - timedelta(seconds=1)) == "promoter"
    )
    assert await comment(person, "one more thing", channel="telegram", now=LATER + timedelta(hours=1)) is None
    assert await db.fetch_value("SELECT comment FROM survey_answer") == "Great coffee"
    other, second = await asked()
    await say(second, other, 1)
    assert await comment(other, "too late", channel="telegram", now=LATER + DAY) is None


async def test_a_number_answers_the_question_that_was_the_last_thing_said_in_a_chat():
    person, invitation = await asked()
    account_id = await db.fetch_value("SELECT account_id FROM message WHERE kind = 'survey_asked'")
    # It still waits for the morning, maybe.
    assert await question_in(account_id) is None
    await db.execute("UPDATE message SET status = 'sent' WHERE kind = 'survey_asked'")
    assert await question_in(account_id) == invitation
    await db.execute(
        "INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, created_at,"
        " attempts) VALUES ($1, $2, 'telegram', 'out', 'reply', '{}', 'sent', 0, $3, 0)",
        account_id,
        person,
        NOW,
    )
    assert await question_in(account_id) is None


async def test_answers_go_with_the_person_when_cards_are_merged_and_come_back():
    one, first = await asked()
    other, second = await asked()
    await say(first, one, 9, now=LATER)
    await say(second, other, 3, now=LATER + timedelta(hours=1))
    merge = await merge_cards(one, other, actor=COMMAND, now=LATER + timedelta(hours=2))
    assert await facts(one) == (-1, (await db.fetch_value("SELECT '1970-01-01+00'::timestamptz")))
    assert await facts(other) == (3, LATER + timedelta(hours=1))
    assert await db.fetch_value("SELECT count(*) FROM survey_answer WHERE customer_id = $1", other) == 2
    # Both had the bonus, and a person has it once.
    assert (await account(other, now=LATER)).balance == 50_00 + 2 * 25_00
    await assert_books_agree(now=LATER + timedelta(hours=2))
    with pytest.raises(Refused):
        await say(first, one, 8, now=LATER + timedelta(hours=3))
    assert (await say(first, other, 10, now=LATER + timedelta(hours=3))).before == 9
    await undo_merge(merge, actor=COMMAND, now=LATER + timedelta(hours=4))
    assert (await facts(one))[0] == 10
    assert (await facts(other))[0] == 3
    await assert_books_agree(now=LATER + timedelta(hours=4))


async def test_erasing_takes_the_comment_and_what_waits_and_leaves_the_score():
    person, invitation = await asked()
    await say(invitation, person, 2)
    await comment(person, "Мария ждала", channel="telegram", now=LATER)
    await db.execute(
        "INSERT INTO survey_invitation (key, customer_id, state, due_at, created_at)"
        " VALUES ('x', $1, 'waiting', $2, $2)",
        person,
        NOW,
    )
    told = (await own_data(person, now=LATER))["scores"]
    assert [(row["score"], row["comment"]) for row in told] == [(2, "Мария ждала")]
    happened, _ = await timeline(person, with_words=True)
    [score] = [one for one in happened if one.kind == "score"]
    assert (score.amount, score.words, score.location_name) == (2, "Мария ждала", "Tverskaya, 12")
    await erase_customer(person, actor=COMMAND, now=LATER)
    row = await db.fetch_row("SELECT score, comment FROM survey_answer")
    assert row is not None
    assert (row["score"], row["comment"]) == (2, None)
    await ask_due(now=LATER)
    assert await db.fetch_value("SELECT reason FROM survey_invitation WHERE key = 'x'") == "is_not_in_base"
    await assert_books_agree(now=LATER)


@pytest.mark.parametrize(
    ("spoil", "check"),
    [
        ("UPDATE customer_facts SET nps = 5", "newest score of customer"),
        ("UPDATE customer_facts SET nps_at = nps_at + INTERVAL '1 day'", "time of newest score of customer (epoch)"),
        ("UPDATE survey_invitation SET message_id = NULL", "message of survey"),
        ("UPDATE survey_invitation SET state = 'asked'", "answer of survey"),
    ],
)
async def test_the_proof_finds_what_does_not_agree(spoil, check):
    person, invitation = await asked()
    await say(invitation, person, 9)
    await db.execute(spoil)
    assert [one.check for one in (await verify(now=LATER)).differences] == [check]
