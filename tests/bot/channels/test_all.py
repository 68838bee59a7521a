"""What is true of sending through every channel: against real servers on loopback."""

import asyncio
import time

import pytest

from bot.channels.base import (
    Away,
    Outgoing,
    RateLimited,
    Rejected,
    SendError,
    Unanswered,
    Unauthorized,
    Unreachable,
)
from bot.channels.email import channel as email_channel_module
from bot.channels.email import lines as email_lines
from bot.channels.sms import channel as sms_channel_module
from bot.channels.telegram import channel as telegram_channel_module
from bot.channels.whatsapp import client as whatsapp_client
from loyalty.conversations.channels import CAPABILITIES
from loyalty.conversations.content import Button, Content, Link
from tests.bot.channels.stands import STANDS, Stand

TEXT = 'Анна, у вас 150 бонусов: "кофе" & {text} \\ 100 % <b>\nЖдём вас!'


@pytest.fixture
def patience() -> float:
    """Seconds a call waits for its answer: a test whose server is silent names fewer."""
    return 60.0


@pytest.fixture(params=STANDS)
async def stand(request, monkeypatch, patience):
    """Each channel in turn."""
    monkeypatch.setattr(telegram_channel_module, "CALL_SECONDS", int(patience))
    monkeypatch.setattr(whatsapp_client, "CALL_SECONDS", patience)
    monkeypatch.setattr(sms_channel_module, "CALL_SECONDS", patience)
    monkeypatch.setattr(email_lines, "CALL_SECONDS", patience)
    async with STANDS[request.param]() as made:
        yield made


def a_message(stand: Stand, text: str = TEXT, *, reference: int = 4711, **more) -> Outgoing:
    return Outgoing(reference, stand.address, "ru", Content(text, **more))


async def refusal_of(stand: Stand, fault: str) -> SendError:
    stand.faults[fault]()
    with pytest.raises(SendError) as caught:
        await stand.channel.send(a_message(stand))
    return caught.value


async def test_words_arrive_as_they_are_and_come_back_with_a_name(stand):
    name = await stand.channel.send(a_message(stand, "Анна, у вас 150 бонусов\nЖдём вас!"))
    assert name
    assert len(name) <= 160
    assert stand.taken() == [(stand.address, "Анна, у вас 150 бонусов\nЖдём вас!")]


async def test_no_character_of_a_text_is_lost_or_does_anything(stand):
    await stand.channel.send(a_message(stand))
    [(_, text)] = stand.taken()
    assert text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"') == TEXT


async def test_many_at_once_arrive_each_once_with_names_of_their_own(stand):
    texts = [f"Сообщение {number}" for number in range(40)]
    names = await asyncio.gather(
        *(stand.channel.send(a_message(stand, text, reference=number)) for number, text in enumerate(texts, 1))
    )
    assert len(set(names)) == 40
    assert sorted(text for _, text in stand.taken()) == sorted(texts)


async def test_what_is_too_long_ends_in_an_ellipsis(stand):
    limit = CAPABILITIES[stand.channel.name].text_length
    await stand.channel.send(a_message(stand, "слово " * (limit // 6 + 10)))
    [(_, text)] = stand.taken()
    assert len(text) <= limit
    assert text.endswith("…")


async def test_buttons_never_stop_a_message(stand):
    await stand.channel.send(a_message(stand, "Хорошо?"))
    if CAPABILITIES[stand.channel.name].hears:
        return
    await stand.channel.send(a_message(stand, "Хорошо?", buttons=((Button("Да", "yes"),),)))
    assert [text for _, text in stand.taken()] == ["Хорошо?"] * 2


async def test_an_address_is_told_in_every_channel(stand):
    link = Link("Меню", "https://shop.example/menu?a=1&b=2")
    await stand.channel.send(a_message(stand, "Что нового?", links=(link,)))
    [(_, text)] = stand.taken()
    assert text in {"Что нового?", f"Что нового?\n\nМеню: {link.url}"}
    assert (text == "Что нового?") is (CAPABILITIES[stand.channel.name].links > 0)


async def test_who_does_not_know_us_stops_the_account_and_takes_nothing(stand):
    assert isinstance(await refusal_of(stand, "unauthorized"), Unauthorized)
    assert stand.taken() == []


async def test_too_many_pause_the_account_for_as_long_as_is_asked(stand):
    error = await refusal_of(stand, "rate")
    assert isinstance(error, RateLimited)
    assert not isinstance(error, Away)
    assert error.retry_after == 7 or (stand.channel.name == "email" and error.retry_after == 60)
    assert stand.taken() == []


async def test_what_is_refused_is_refused_for_good(stand):
    assert type(await refusal_of(stand, "rejected")) is Rejected


@pytest.mark.parametrize("stand", ["telegram", "whatsapp", "email"], indirect=True)
async def test_who_is_not_there_is_not_written_to_again(stand):
    assert isinstance(await refusal_of(stand, "gone"), Unreachable)


@pytest.mark.parametrize("patience", [1.0])
@pytest.mark.parametrize("fault", ["lost", "silent"])
async def test_without_an_answer_nobody_knows_whether_it_arrived(stand, fault):
    begun = time.monotonic()
    error = await refusal_of(stand, fault)
    assert type(error) is Unanswered
    assert time.monotonic() - begun < 10
    assert len(stand.taken()) == 1


@pytest.mark.parametrize("stand", ["telegram", "whatsapp", "sms"], indirect=True)
async def test_behind_the_page_of_a_proxy_it_may_have_been_taken(stand):
    assert type(await refusal_of(stand, "page")) is Unanswered


@pytest.mark.parametrize("patience", [1.0])
async def test_no_word_of_an_error_names_a_person_or_a_secret(stand):
    for fault in stand.faults:
        stand.faults[fault]()
        with pytest.raises(SendError) as caught:
            await stand.channel.send(a_message(stand))
        told = str(caught.value)
        assert stand.address not in told
        assert "token" not in told
        assert "Анна" not in told


@pytest.mark.parametrize("name", ["sms", "email"])
async def test_what_could_not_even_be_told_is_certainly_not_taken_and_waits(name, free_port, monkeypatch):
    monkeypatch.setattr(email_channel_module, "SEND_SECONDS", 5.0)
    async with STANDS[name]() as stand:
        channel = stand.channel
    # Its server listens no more.
    with pytest.raises(Away) as caught:
        await channel.send(Outgoing(1, stand.address, "ru", Content("Привет")))
    assert caught.value.reason == "no_answer"
    assert caught.value.retry_after > 0
    assert stand.taken() == []
    await channel.close()


@pytest.mark.parametrize("name", ["sms", "email"])
@pytest.mark.parametrize(("language", "words"), [("ru", "Больше не присылать"), ("uk", "Більше"), ("en", "No more")])
async def test_advertising_ends_with_the_link_that_ends_it_however_long_the_words_are(name, language, words):
    link = "https://club.example.com/stop/1f-0123456789abcdef"
    async with STANDS[name]() as stand:
        content = Content("слово " * 40_000)
        await stand.channel.send(Outgoing(1, stand.address, language, content, stop_url=link))
        [(_, text)] = stand.taken()
    assert text.splitlines()[-1].startswith(words)
    assert text.endswith(f": {link}")
    assert len(text) <= CAPABILITIES[name].text_length
    assert "…\n" in text


@pytest.mark.parametrize("name", ["sms", "email"])
async def test_nobody_comes_by_a_channel_in_which_nobody_can_answer(name):
    async with STANDS[name]() as stand:
        assert await stand.channel.link("j_abc") == ""
        with pytest.raises(Rejected):
            await stand.channel.fetch("file", limit=10)
        with pytest.raises(Rejected):
            await stand.channel.edit(stand.address, "1", Content("Привет"), b"")
        receiving = asyncio.create_task(stand.channel.receive(_nothing))
        await asyncio.sleep(0.05)
        assert not receiving.done()
        receiving.cancel()
        await asyncio.wait([receiving])


async def _nothing(_: object) -> None:
    raise AssertionError("nothing is received here")
