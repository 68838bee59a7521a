"""What the answers of a period add up to, one by one, of one person; and of a survey on demand."""

from datetime import date, timedelta

import pytest

from loyalty import db
from loyalty.errors import NotFound
from loyalty.segments.actions.segments import add_member, add_segment
from loyalty.segments.rules.segments import SegmentDraft
from loyalty.segments.rules.trees import Condition
from loyalty.segments.rules.trees import Group as Tree
from loyalty.staff.rules import COMMAND
from loyalty.surveys.queries.answers import PAGE_ROWS, all_answers, answers, invitations_of
from loyalty.surveys.queries.results import Scope, results, tally_of
from loyalty.surveys.queries.runs import run, run_results, runs
from loyalty.surveys.rules import Group, Skip, State, Tally
from tests.builders import NOW, a_cashier, a_customer, a_location

ZONE = "Europe/Moscow"
YEAR = Scope(NOW - timedelta(days=365), NOW, ZONE)
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
async def _shop(database):
    pass


async def an_answer(customer_id, score, *, days_ago=1, location=None, cashier=None, comment=None, run_id=None) -> int:
    """An answer that was given so many days ago, as if by the chat."""
    at = NOW - timedelta(days=days_ago)
    invitation: int = await db.fetch_value(
        "INSERT INTO survey_invitation (key, customer_id, run_id, location_id, cashier_id, state, due_at, asked_at,"
        " created_at) SELECT 'k' || count(*), $1, $5, $2, $3, 'answered', $4, $4, $4 FROM survey_invitation"
        " RETURNING id",
        customer_id,
        location,
        cashier,
        at,
        run_id,
    )
    await db.execute(
        "INSERT INTO survey_answer (invitation_id, customer_id, score, comment, location_id, cashier_id, channel,"
        " answered_at) VALUES ($1, $2, $3, $4, $5, $6, 'telegram', $7)",
        invitation,
        customer_id,
        score,
        comment,
        location,
        cashier,
        at,
    )
    return invitation


async def asked_only(customer_id, *, days_ago=1) -> None:
    await db.execute(
        "INSERT INTO survey_invitation (key, customer_id, state, due_at, asked_at, created_at)"
        " SELECT 'a' || count(*), $1, 'asked', $2, $2, $2 FROM survey_invitation",
        customer_id,
        NOW - timedelta(days=days_ago),
    )


async def test_the_answers_of_a_period_by_score_month_location_and_who_served():
    person = (await a_customer()).id
    here, there = await a_location(name="Here"), await a_location(name="There")
    cashier = (await a_cashier()).staff_id
    for score, days, place in ((10, 1, here), (9, 2, here), (3, 40, here), (8, 41, there), (0, 41, None)):
        await an_answer(person, score, days_ago=days, location=place, cashier=cashier if place == here else None)
    await an_answer(person, 10, days_ago=366, location=here)
    await an_answer(person, 10, days_ago=800)
    await asked_only(person, days_ago=3)
    found = await results(YEAR, now=NOW)
    assert (found.tally, found.tally.nps) == (Tally(2, 1, 2), 0)
    assert {score: count for score, count in found.scores.items() if count} == {10: 1, 9: 1, 8: 1, 3: 1, 0: 1}
    assert (found.asked, found.answered, found.before) == (6, 5, Tally(1, 0, 0))
    assert len(found.months) == 13
    assert [(month.first_day, month.tally.total, month.asked) for month in found.months[-3:]] == [
        (date(2026, 1, 1), 3, 3),
        (date(2026, 2, 1), 0, 0),
        (date(2026, 3, 1), 2, 3),
    ]
    assert [month.share_bp for month in found.months[-2:]] == [None, 6667]
    assert [(line.name, line.tally, line.before.total) for line in found.locations] == [
        ("Here", Tally(2, 0, 1), 1),
        ("There", Tally(0, 1, 0), 0),
        (None, Tally(0, 0, 1), 0),
    ]
    assert [(line.name, line.tally.total) for line in found.cashiers] == [("Timur", 3), (None, 2)]
    assert [line.name for line in found.team_members] == [None]
    only = await results(Scope(YEAR.begins, YEAR.ends, ZONE, locations=(there,)), now=NOW)
    assert (only.tally, only.asked) == (Tally(0, 1, 0), 1)
    assert await tally_of(YEAR, now=NOW) == found.tally


async def test_answers_of_a_segment_alone_also_by_conditions():
    one, other = (await a_customer()).id, (await a_customer(name="Zoe")).id
    await an_answer(one, 10)
    await an_answer(other, 2)
    by_hand = await add_segment(SegmentDraft("Hand"), actor=COMMAND, now=NOW)
    await add_member(by_hand, one, actor=COMMAND, now=NOW)
    rule = Tree(parts=tuple(Condition("sold", "between", f"..{number}") for number in range(10, 22)))
    by_rule = await add_segment(SegmentDraft("Rule", conditions=rule), actor=COMMAND, now=NOW)
    place = await a_location()
    for segment, total in ((by_hand, 1), (by_rule, 2)):
        scope = Scope(YEAR.begins, YEAR.ends, ZONE, segment_id=segment)
        assert (await results(scope, now=NOW)).tally.total == total
        assert (await tally_of(scope, now=NOW)).total == total
        assert len((await answers(scope, now=NOW))[0]) == total
        nowhere = Scope(YEAR.begins, YEAR.ends, ZONE, (place,), segment)
        assert (await results(nowhere, now=NOW)).tally.total == 0


async def test_answers_are_read_a_page_at_a_time_by_group_and_with_comments_alone():
    person = await a_customer()
    for number in range(PAGE_ROWS + 5):
        await an_answer(person.id, number % 11, days_ago=1 + number % 3, comment="good" if number % 2 else None)
    first, place = await answers(YEAR, now=NOW)
    rest, end = await answers(YEAR, after=place, now=NOW)
    assert (len(first), len(rest), end) == (PAGE_ROWS, 5, None)
    assert len({one.id for one in (*first, *rest)}) == PAGE_ROWS + 5
    assert [one.answered_at for one in first] == sorted((one.answered_at for one in first), reverse=True)
    promoters, _ = await answers(YEAR, group=Group.PROMOTER, now=NOW)
    assert {one.score for one in promoters} == {9, 10}
    said, _ = await answers(YEAR, with_comment=True, now=NOW)
    assert {one.comment for one in said} == {"good"}
    assert (said[0].name, said[0].card_number) == (person.name, person.card_number)
    everything = [one.id async for part in all_answers(YEAR, now=NOW) for one in part]
    assert everything == [one.id for one in (*first, *rest)]


async def test_the_history_of_one_person_has_what_was_asked_and_not_answered_too():
    person = (await a_customer()).id
    await an_answer(person, 9, comment="good", days_ago=100)
    await asked_only(person)
    [asked, answered], end = await invitations_of(person)
    assert (asked.state, asked.score, asked.group) == (State.ASKED, None, None)
    assert (answered.state, answered.score, answered.comment, answered.group) == (State.ANSWERED, 9, "good", "promoter")
    assert end is None


async def test_a_run_tells_who_was_left_out_and_what_was_answered():
    person = (await a_customer()).id
    run_id = await db.fetch_value(
        "INSERT INTO survey_run (key, total, skipped, created_at) VALUES ('r', 2, 1, $1) RETURNING id", NOW
    )
    await an_answer(person, 9, run_id=run_id)
    await db.execute(
        "INSERT INTO survey_invitation (key, customer_id, run_id, state, reason, due_at, created_at)"
        " VALUES ('s', $1, $2, 'skipped', 'no_account', $3, $3)",
        person,
        run_id,
        NOW,
    )
    view = await run(run_id)
    assert (view.meant, view.asked, view.answered, view.is_under_way) == (1, 1, 1, False)
    done = await run_results(run_id)
    assert (done.left_out, done.tally) == ({Skip.NO_ACCOUNT: 1}, Tally(1, 0, 0))
    assert [one.id for one in (await runs())[0]] == [run_id]
    with pytest.raises(NotFound):
        await run(run_id + 1)
