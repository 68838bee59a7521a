"""The demo's phones, e-mails and entry links, its questionnaire and what it writes where."""

import pytest

from loyalty import db
from loyalty.conversations.queries.sending import manners
from loyalty.conversations.queries.types import message_type
from loyalty.conversations.rules import Cap
from loyalty.customers.queries.consent_texts import versions_of
from loyalty.customers.queries.entry_links import entry_links
from loyalty.customers.queries.questions import questions
from loyalty.customers.questionnaire import OF_PROFILE, QuestionKind
from loyalty.customers.rules import Topic
from tests.regulars.test_seed import stands


@pytest.fixture
async def crowd(opened_database):
    """Enough people for what happens to few."""
    await stands(opened_database, 400)


async def test_who_is_in_no_messenger_heard_of_sales_by_sms_and_of_gifts_by_email(crowd):
    rows = await db.fetch("SELECT DISTINCT channel, kind, status FROM message WHERE channel IN ('sms', 'email')")
    said = {tuple(row.values()) for row in rows}
    assert {("sms", "receipt", "delivered"), ("sms", "receipt", "failed"), ("email", "birthday", "sent")} <= said
    reached = (
        "SELECT count(*) FROM customer_facts f JOIN customer c ON c.id = f.customer_id WHERE f.sms AND NOT f.email"
    )
    assert await db.fetch_value(reached) > 100
    assert await db.fetch_value("SELECT count(*) FROM customer WHERE email IS NOT NULL") > 100


async def test_types_go_where_the_shop_wants_within_its_hours_and_its_cap(crowd):
    assert (await message_type("receipt")).channels == ("telegram", "whatsapp", "sms")
    assert (await message_type("expiring")).channels == ("telegram", "whatsapp", "email")
    assert "{first_name}" in (await message_type("birthday")).own("ru")
    assert (await manners()).cap == Cap(2, 7)


async def test_newcomers_answered_three_questions_of_the_shops_own(crowd):
    own = [one for one in await questions() if one.kind not in OF_PROFILE]
    assert [one.kind for one in own] == [QuestionKind.TEXT, QuestionKind.DATE, QuestionKind.CHOICE]
    assert all(one.labels.keys() == {"ru", "uk", "en"} for one in own)
    answers = await db.fetch("SELECT question_id, count(*), count(DISTINCT choice) AS kinds FROM answer GROUP BY 1")
    assert {row["question_id"] for row in answers} == {one.id for one in own}
    assert all(row["count"] > 30 for row in answers)
    assert max(row["kinds"] for row in answers) == 4


async def test_the_terms_had_two_versions_after_the_house_s_own(crowd):
    assert [one.version for one in await versions_of(Topic.TERMS)] == [3, 2, 1]


async def test_five_links_brought_people_and_were_opened_by_more(crowd):
    found, _ = await entry_links()
    assert len(found) == 5
    assert all(0 < counts.registered < counts.opened for _, counts in found)
    assert {link.source for link, _ in found} == {"столик", "листовка", "instagram"}
