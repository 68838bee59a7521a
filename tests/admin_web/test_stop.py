"""The link by which readers of SMS and e-mails end advertising."""

import pytest

from loyalty import db
from loyalty.conversations.stopping import account_of, stop_key, stop_links
from loyalty.customers.actions.accounts import answer_topics
from loyalty.customers.queries import consents, places_of
from loyalty.customers.rules import Topic
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_customer


def test_a_link_is_of_one_account_and_cannot_be_made_up():
    key = stop_key("a secret of some length")
    token = stop_links(key, "https://club.example")(77).removeprefix("https://club.example/stop/")
    assert account_of(key, token) == 77
    forged = (f"4e-{token.partition('-')[2]}", "4d", "-", "4d-ü", "", f"{token}0", "g-1", "-4d", f"{'9' * 99}-1")
    assert [account_of(key, one) for one in forged] == [None] * len(forged)
    assert account_of(stop_key("another one"), token) is None


async def opened(panel, path: str, *, post: dict[str, str] | None = None, status: int = 200) -> str:
    """As a reader's browser or mail program does it: from nowhere of ours."""
    headers = {"Sec-Fetch-Site": "cross-site"}
    answer = await (panel.get(path) if post is None else panel.post(path, data=post, headers=headers))
    assert answer.status == status
    return await answer.text()


@pytest.fixture
async def reader(panel, settings):
    """A customer who wants offers, and the path of the link in an SMS to them."""
    person = await a_customer(phone="+79161112233")
    [place] = await places_of(person.id)
    wanted = {Topic.MARKETING: True}
    await answer_topics(place.id, wanted, source="sms", text_version="1 ru", actor=COMMAND, now=NOW)
    return person.id, stop_links(stop_key(settings.secret_key.get_secret_value()), "")(place.id)


async def takes(customer_id: int) -> tuple[bool, bool]:
    [place] = await places_of(customer_id)
    granted = {one.topic: one.granted for one in await consents(customer_id)}
    return place.takes_marketing, granted["marketing"]


async def test_a_link_that_is_only_opened_changes_nothing(reader, panel):
    customer_id, path = reader
    assert "Больше не присылать" in await opened(panel, path)
    assert await takes(customer_id) == (True, True)


async def test_who_presses_gets_no_more_advertising_and_may_have_it_again(reader, panel):
    customer_id, path = reader
    assert "больше не придут" in await opened(panel, path, post={})
    assert await takes(customer_id) == (False, False)
    assert "снова" in await opened(panel, path, post={"again": "1"})
    assert await takes(customer_id) == (True, True)


async def test_a_mail_program_unsubscribes_by_itself_and_twice_is_once(reader, panel):
    customer_id, path = reader
    for _ in range(2):
        await opened(panel, path, post={"List-Unsubscribe": "One-Click", "again": "1"})
    assert await takes(customer_id) == (False, False)


async def test_a_link_that_is_cut_off_says_so(reader, panel):
    _, path = reader
    assert "not whole" in await opened(panel, path[:-1], status=404)
    assert "not whole" in await opened(panel, path[:-1], post={}, status=404)
    assert await db.fetch_value("SELECT count(*) FROM consent") == 1
