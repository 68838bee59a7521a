"""What may be written to an account, by topic."""

import pytest

from loyalty import db
from loyalty.customers.actions.accounts import answer_topics, set_topics
from loyalty.customers.queries import consents, messenger_account
from loyalty.customers.rules import Topic
from loyalty.errors import NotFound
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_customer, an_account

pytestmark = pytest.mark.usefixtures("database")


async def said(account_id: int, topic: Topic, *, granted: bool) -> None:
    await answer_topics(account_id, {topic: granted}, source="telegram", text_version="1 ru", actor=COMMAND, now=NOW)


async def granted(customer_id: int) -> dict[str, bool]:
    return {consent.topic: consent.granted for consent in await consents(customer_id)}


async def test_topics_change_one_by_one_and_only_changes_are_journaled():
    person = await a_customer()
    account_id = await an_account(person.id)
    await set_topics(account_id, marketing=False, actor=COMMAND, now=NOW)
    await set_topics(account_id, marketing=False, service=True, actor=COMMAND, now=NOW)
    known = await messenger_account(account_id)
    assert (known.takes_service, known.takes_marketing, known.takes_surveys) == (True, False, True)
    [line] = await db.fetch("SELECT subject_id, details FROM journal_entry WHERE action = 'account.topics'")
    assert (line["subject_id"], db.from_json(line["details"])) == (
        person.id,
        {"account": account_id, "marketing": False},
    )
    with pytest.raises(NotFound):
        await set_topics(10**6, marketing=False, actor=COMMAND, now=NOW)


async def test_an_account_that_is_nobodys_has_topics_too():
    account_id = await an_account()
    await said(account_id, Topic.MARKETING, granted=False)
    assert not (await messenger_account(account_id)).takes_marketing
    assert await db.fetch_value("SELECT subject_kind FROM journal_entry WHERE action = 'account.topics'") == "account"


async def test_a_no_in_one_chat_leaves_the_consent_of_another():
    person = await a_customer()
    first, second = await an_account(person.id), await an_account(person.id)
    await said(first, Topic.MARKETING, granted=True)
    await said(first, Topic.MARKETING, granted=False)
    assert await granted(person.id) == {"marketing": True}
    assert [(await messenger_account(one)).takes_marketing for one in (first, second)] == [False, True]
    await said(second, Topic.MARKETING, granted=False)
    assert await granted(person.id) == {"marketing": False}
    await said(second, Topic.SURVEYS, granted=True)
    assert await granted(person.id) == {"marketing": False, "surveys": True}
