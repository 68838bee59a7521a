"""A year of scores in the demo: believable, by everybody's own words, and in agreement with the facts."""

import pytest

from loyalty import db
from loyalty.surveys.queries.programme import survey_programme
from loyalty.surveys.rules import PAUSE_DAYS, Tally
from tests.regulars.test_seed import NOW, stands


@pytest.fixture
async def crowd(opened_database):
    await stands(opened_database, 400)


async def test_hundreds_were_asked_a_good_part_answered_and_most_are_content(crowd):
    asked = await db.fetch_value("SELECT count(*) FROM survey_invitation")
    scores = await db.fetch("SELECT score, count(*)::int AS answers FROM survey_answer GROUP BY 1")
    tally = Tally.of({row["score"]: row["answers"] for row in scores})
    assert asked > 300
    assert 0.3 < tally.total / asked < 0.55
    assert tally.nps is not None
    assert 10 < tally.nps < 60
    assert {row["score"] for row in scores} >= {10, 9, 8, 7, 6, 5}
    said = await db.fetch(
        "SELECT c.language, count(*) AS comments FROM survey_answer a JOIN customer c ON c.id = a.customer_id"
        " WHERE a.comment IS NOT NULL GROUP BY 1"
    )
    assert {row["language"] for row in said} == {"ru", "uk", "en"}


async def test_nobody_was_asked_twice_within_the_pause_nor_at_night_nor_who_wants_none(crowd):
    soon = (
        "SELECT count(*) FROM (SELECT asked_at - lag(asked_at) OVER (PARTITION BY customer_id ORDER BY asked_at) AS gap"
        " FROM survey_invitation) g WHERE gap < make_interval(days => $1)"
    )
    assert await db.fetch_value(soon, PAUSE_DAYS) == 0
    hours = (
        "SELECT DISTINCT extract(hour FROM asked_at AT TIME ZONE 'Europe/Moscow')::int AS hour FROM survey_invitation"
    )
    assert {row["hour"] for row in await db.fetch(hours)} <= set(range(9, 22))
    refused = (
        "SELECT count(*) FROM survey_invitation i JOIN consent c ON c.customer_id = i.customer_id"
        " WHERE c.topic = 'surveys' AND NOT c.granted AND c.at < i.asked_at"
    )
    assert await db.fetch_value(refused) == 0


async def test_the_question_the_press_and_the_comment_stand_in_the_chat_in_their_order(crowd):
    row = await db.fetch_row(
        "SELECT i.message_id, m.account_id, a.comment FROM survey_answer a"
        " JOIN survey_invitation i ON i.id = a.invitation_id"
        " JOIN message m ON m.id = i.message_id WHERE a.comment IS NOT NULL ORDER BY i.id LIMIT 1"
    )
    assert row is not None
    lines = await db.fetch(
        "SELECT kind, direction, content->>'text' AS text FROM message WHERE account_id = $1 AND id > $2"
        " AND kind IN ('button', 'survey', 'text') ORDER BY id LIMIT 3",
        row["account_id"],
        row["message_id"],
    )
    assert [line["kind"] for line in lines] == ["button", "survey", "text"]
    assert lines[2]["text"] == row["comment"]


async def test_the_programme_is_on_and_has_asked_about_nothing_that_was_before_it(crowd):
    view = await survey_programme()
    assert view.draft.is_on
    assert view.looked_at == await db.fetch_value("SELECT max(id) FROM receipt WHERE at < $1", NOW)
