"""Letters go by the shop's mail server, with their links in the place of marks, and come again when nobody knows."""

from datetime import timedelta

import pytest

from loyalty import db
from loyalty.bell import hung
from loyalty.office.exporting import file_key, link_mark, opening_of, with_links
from loyalty.staff.letters import LEASE, PAUSES, queue_letter
from scheduler.letters import Postman, sending_letters
from tests.bot.channels.stands import Post, email_channel, post_office
from tests.bot.conftest import until
from tests.builders import NOW, a_cashier
from tests.conftest import SECRET_KEY

KEY = file_key(SECRET_KEY)
URL = "https://club.example.com"


def linked(text: str) -> str:
    return with_links(text, KEY, URL)


class Clock:
    def __init__(self) -> None:
        self.moment = NOW

    def now(self):
        return self.moment


@pytest.fixture
async def post():
    async with post_office(Post()) as post:
        yield post


@pytest.fixture
async def channel(post):
    channel = email_channel(post)
    yield channel
    await channel.close()


@pytest.fixture
async def letter(database) -> None:
    person = await a_cashier()
    assert person.staff_id is not None
    text = f"Take it here: {link_mark(7, NOW)}"
    await queue_letter(person.staff_id, key="1", subject="Your file is ready", text=text, now=NOW)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def postman(channel, redis_url, letter, clock):
    async with hung(redis_url) as bell:
        yield Postman(channel, linked, bell, clock.now)


async def state() -> str:
    found: str = await db.fetch_value("SELECT state FROM staff_letter")
    return found


async def test_the_letter_has_a_link_that_opens_its_file(postman, post):
    await postman.send_due()
    [(address, mail)] = post.mails
    assert address.startswith("cashier")
    assert mail["Subject"] == "Your file is ready"
    link = mail.get_content().split()[-1]
    assert link.startswith(f"{URL}/files/7-")
    opening = opening_of(KEY, link.rpartition("/")[2])
    assert opening is not None
    assert (opening.export_id, opening.until) == (7, int(NOW.timestamp()))
    assert await state() == "sent"


async def test_a_lost_answer_sends_it_again(postman, post, clock):
    post.takes_first = True
    post.once = {"DATA": "cut"}
    await postman.send_due()
    assert (len(post.mails), await state()) == (1, "queued")
    clock.moment += PAUSES[0]
    await postman.send_due()
    assert (len(post.mails), await state()) == (2, "sent")


async def test_a_server_that_is_away_is_waited_for_and_an_address_that_is_gone_is_not(postman, post, clock):
    post.once = {"RCPT": "451 4.7.1 Later"}
    await postman.send_due()
    assert (post.mails, await state()) == ([], "queued")
    post.answers = {"RCPT": "550 5.1.1 No such user"}
    clock.moment += PAUSES[0]
    await postman.send_due()
    assert await state() == "failed"


async def test_what_nobody_expected_costs_a_try_and_no_other_letter(postman, post, monkeypatch):
    send = postman._channel.send

    async def stumble(message):
        if message.reference == 1:
            raise ZeroDivisionError
        return await send(message)

    other = await a_cashier()
    assert other.staff_id is not None
    await queue_letter(other.staff_id, key="2", subject="Another", text="Words", now=NOW)
    await db.execute("UPDATE staff_letter SET id = 1 WHERE key = '1'")
    monkeypatch.setattr(postman._channel, "send", stumble)
    await postman.send_due()
    assert [mail["Subject"] for _, mail in post.mails] == ["Another"]
    assert await db.fetch_value("SELECT reason FROM staff_letter WHERE key = '1'") == "not_sent"


async def test_letters_are_sent_while_it_runs_and_without_a_mail_server_they_wait(
    database, redis_url, letter, channel, post
):
    async with hung(redis_url) as bell:
        async with sending_letters(None, linked, bell, lambda: NOW + LEASE):
            assert await state() == "queued"
        async with sending_letters(channel, linked, bell, lambda: NOW + timedelta(seconds=1)):
            await until(lambda: db.fetch_value("SELECT state = 'sent' FROM staff_letter"))
    assert len(post.mails) == 1
