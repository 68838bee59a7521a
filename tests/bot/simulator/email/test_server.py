import asyncio

import aiosmtplib
import pytest

from bot.simulator import Simulator
from tests.bot.simulator.conftest import TOKEN
from tests.bot.simulator.email.conftest import ADDRESS, Post, message

FIRST_LINES = "С днём рождения!\n\nПодарок ждёт вас."


async def refusal(client: aiosmtplib.SMTP, **headers: str) -> int:
    """The code with which a message is refused."""
    try:
        await client.send_message(message(**headers))
    except aiosmtplib.SMTPRecipientsRefused as refused:
        return refused.recipients[0].code
    except aiosmtplib.SMTPResponseException as refused:
        return refused.code
    raise AssertionError("the message was taken")


async def test_a_message_lies_in_its_mailbox_as_a_reader_sees_it(post: Post):
    sent = message(FIRST_LINES, Subject="Подарок", Message_ID="<1@shop>")
    sent.add_attachment(b"%PDF-1.7", maintype="application", subtype="pdf", filename="карта.pdf")
    async with post.client() as client:
        await client.send_message(sent)
    told = await post.mail.box(ADDRESS).wait_for(lambda one: True)
    assert (told["subject"], told["text"]) == ("Подарок", FIRST_LINES)
    assert told["sender"] == "Ладно <shop@example.org>"
    [file] = told["files"]
    assert (file["name"], file["size"]) == ("карта.pdf", 8)
    async with post.http.get(f"{post.url}/simulator/photos/{file['file']}") as answer:
        assert await answer.read() == b"%PDF-1.7"
        assert answer.headers["Content-Disposition"] == "attachment"
        assert answer.content_type == "application/octet-stream"


async def test_a_message_that_comes_twice_is_one_for_its_reader(post: Post):
    for _ in range(2):
        await post.send(Message_ID="<1@shop>")
    [told] = post.mail.box(ADDRESS).messages
    assert told["copies"] == 2


async def test_capitals_of_an_address_name_the_same_mailbox(post: Post):
    await post.send(to="Anna@Example.org")
    assert len(post.mail.box(ADDRESS).messages) == 1


async def test_nobody_sends_without_the_password(post: Post):
    with pytest.raises(aiosmtplib.SMTPAuthenticationError) as refused:
        await post.client("wrong").connect()
    assert refused.value.code == 535
    async with post.client(None) as client:
        assert await refusal(client) == 530
    assert not post.mail.chats()


async def test_a_revoked_password_opens_nothing_and_ends_what_it_opened(post: Post):
    async with post.client() as before:
        post.mail.faults.unauthorized = True
        with pytest.raises(aiosmtplib.SMTPAuthenticationError):
            await post.client().connect()
        assert await refusal(before) == 530


async def test_too_many_are_told_to_come_later_and_the_line_is_closed(post: Post):
    post.mail.faults.retry_after = 5
    async with post.client() as client:
        assert await refusal(client) == 421
        with pytest.raises(aiosmtplib.SMTPServerDisconnected):
            await client.noop()


async def test_counted_faults_are_over_when_they_were_met(post: Post):
    post.mail.faults.blocked = 1
    post.mail.faults.greylisted = 1
    async with post.client() as client:
        assert [await refusal(client), await refusal(client)] == [451, 550]
        await client.send_message(message())
    assert len(post.mail.box(ADDRESS).messages) == 1


async def test_a_broken_line_takes_nothing(post: Post):
    post.mail.faults.server_errors = 1
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await post.send()
    assert not post.mail.chats()


async def test_a_message_arrives_though_its_answer_is_lost(post: Post):
    post.mail.faults.lose_answers = 1
    with pytest.raises(aiosmtplib.SMTPServerDisconnected):
        await post.send()
    assert len(post.mail.box(ADDRESS).messages) == 1


async def test_slow_answers_take_their_time(post: Post):
    post.mail.faults.slow = 1
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await post.send()


async def test_a_mailbox_that_is_gone_refuses(post: Post):
    post.mail.box(ADDRESS).is_unreachable = True
    async with post.client() as client:
        assert await refusal(client) == 550


async def test_the_mailbox_survives_a_restart(open_post, tmp_path):
    first = await open_post(store=tmp_path / "chats.json")
    sent = message()
    sent.add_attachment(b"data", maintype="application", subtype="pdf", filename="a.pdf")
    async with first.client() as client:
        await client.send_message(sent)
    await first.simulator.close()
    again = (await open_post(store=tmp_path / "chats.json")).mail
    [told] = again.box(ADDRESS).messages
    assert told["subject"] == "Your bonuses"
    assert again.file(told["files"][0]["file"]).body == b"data"


def test_without_an_account_nobody_listens():
    assert Simulator(token=TOKEN).email.port == 0
