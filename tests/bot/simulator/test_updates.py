import asyncio

import pytest
from aiogram.exceptions import TelegramBadRequest, TelegramConflictError
from aiohttp import web

from bot.simulator import Simulator
from bot.simulator.bell import Bell
from tests.bot.simulator.conftest import TOKEN, Town, picture, serve


async def until_polled(town):
    """Until a poll waits at the simulator."""
    while not town.simulator.telegram.exchange.updates._poll:  # noqa: ASYNC110 - there is no event for being asked
        await asyncio.sleep(0)


async def test_updates_stay_until_an_offset_confirms_them(town: Town):
    town.person.send("one")
    last = town.person.send("two")
    first = await town.bot.get_updates()
    assert [update.message.text for update in first] == ["/start", "one", "two"]
    assert await town.bot.get_updates() == first
    assert [update.message.text for update in await town.bot.get_updates(limit=1)] == ["/start"]
    assert [update.update_id for update in await town.bot.get_updates(offset=last)] == [last]
    assert await town.bot.get_updates(offset=last + 1) == []
    assert await town.bot.get_updates() == []


async def test_a_negative_offset_keeps_the_newest_only(town: Town):
    town.person.send("one")
    newest = town.person.send("two")
    assert [update.update_id for update in await town.bot.get_updates(offset=-1)] == [newest]
    assert len(await town.bot.get_updates()) == 1


async def test_a_ring_counts_from_the_call_that_waits_for_it():
    bell = Bell()
    earlier, ringing = bell.next_ring(), bell.next_ring()
    bell.ring()
    later = bell.next_ring()
    assert (earlier.done(), ringing.done(), later.done()) == (True, True, False)
    later.cancel()


async def test_a_poll_waits_for_news(town: Town):
    after = (await town.bot.get_updates())[-1].update_id + 1
    poll = asyncio.create_task(town.bot.get_updates(offset=after, timeout=30))
    await until_polled(town)
    said = town.person.send("news")
    async with asyncio.timeout(10):
        assert [update.update_id for update in await poll] == [said]


async def test_a_second_poller_ends_the_first(town: Town):
    after = (await town.bot.get_updates())[-1].update_id + 1
    first = asyncio.create_task(town.bot.get_updates(offset=after, timeout=30))
    await until_polled(town)
    second = asyncio.create_task(town.bot.get_updates(offset=after, timeout=30))
    with pytest.raises(TelegramConflictError, match="terminated by other getUpdates request"):
        await first
    said = town.person.send("news")
    async with asyncio.timeout(10):
        assert [update.update_id for update in await second] == [said]


async def test_kinds_that_the_bot_did_not_ask_for_are_dropped(town: Town):
    await town.bot.get_updates(offset=-1, allowed_updates=["message"])
    town.person.tap(1, "x")
    asked = town.person.send("asked")
    assert [update.update_id for update in await town.bot.get_updates()][1:] == [asked]


async def test_update_ids_rise_over_restarts_without_a_store():
    earlier = Simulator(token=TOKEN).inject({"message": {}})
    await asyncio.sleep(0.002)
    assert Simulator(token=TOKEN).inject({"message": {}}) > earlier


async def test_anything_can_be_injected(town: Town, http):
    town.simulator.inject({"message": 5})
    number = town.simulator.inject({"something_new": {"x": "\0"}})
    async with http.get(f"{town.url}/simulator/telegram/bot{TOKEN}/getUpdates") as answer:
        found = (await answer.json())["result"]
    assert found[1]["message"] == 5
    assert found[2] == {"something_new": {"x": "\0"}, "update_id": number}


async def test_commands_contacts_and_photos_have_telegrams_shape(town: Town):
    person = town.person
    person.start("card-42")
    person.share_contact()
    person.share_contact(phone="+447400999999", user_id=None)
    person.share_contact(user_id=5)
    data = picture(400)
    person.send_photo(data, "Look")
    started, own, card, forged, photo = [update.message for update in await town.bot.get_updates()][1:]
    assert started.text == "/start card-42"
    assert [(entity.type, entity.offset, entity.length) for entity in started.entities] == [("bot_command", 0, 6)]
    assert (own.contact.phone_number, own.contact.user_id) == (person.phone, person.id)
    assert (card.contact.phone_number, card.contact.user_id) == ("+447400999999", None)
    assert forged.contact.user_id == 5
    assert (photo.caption, len(photo.photo)) == ("Look", 2)
    assert (await town.bot.download(photo.photo[-1])).read() == data
    assert (await town.bot.download(photo.photo[0])).read() != data


async def test_blocking_and_unblocking_are_told(town: Town):
    town.person.block()
    town.person.unblock()
    changes = [update.my_chat_member for update in await town.bot.get_updates()][1:]
    assert [(c.old_chat_member.status, c.new_chat_member.status) for c in changes] == [
        ("member", "kicked"),
        ("kicked", "member"),
    ]


async def test_a_bot_that_was_killed_waits_no_more(town: Town):
    after = (await town.bot.get_updates())[-1].update_id + 1
    poll = asyncio.create_task(town.bot.get_updates(offset=after, timeout=30))
    await until_polled(town)
    poll.cancel()
    async with asyncio.timeout(10):
        while town.simulator.telegram.exchange.updates._poll:  # noqa: ASYNC110 - there is no event for being left
            await asyncio.sleep(0.01)


# -------------------------------------------------------------------------------------------- webhook


class Receiver:
    """A bot's webhook that answers what it is told to."""

    def __init__(self):
        self.url = ""
        self.answers = []
        self.got = []
        self.news = asyncio.Event()

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.json()
        status = self.answers.pop(0) if self.answers else 200
        self.got.append((status, body["update_id"], request.headers.get("X-Telegram-Bot-Api-Secret-Token")))
        self.news.set()
        return web.Response(status=status)

    async def until(self, count):
        async with asyncio.timeout(5):
            while len(self.got) < count:
                self.news.clear()
                await self.news.wait()


@pytest.fixture
async def receiver():
    receiver = Receiver()
    app = web.Application()
    app.add_routes([web.post("/hook", receiver.handle)])
    runner, receiver.url = await serve(app)
    yield receiver
    await runner.cleanup()


async def test_the_webhook_gets_updates_in_order_until_each_is_taken(town: Town, receiver: Receiver):
    receiver.answers = [500, 302, 200, 503]
    started = (await town.bot.get_updates())[0].update_id
    await town.bot.set_webhook(f"{receiver.url}/hook", secret_token="a-Secret_1")
    second = town.person.send("two")
    await receiver.until(5)
    assert receiver.got == [
        (500, started, "a-Secret_1"),
        (302, started, "a-Secret_1"),
        (200, started, "a-Secret_1"),
        (503, second, "a-Secret_1"),
        (200, second, "a-Secret_1"),
    ]
    with pytest.raises(TelegramConflictError, match="can't use getUpdates method while webhook is active"):
        await town.bot.get_updates()
    info = await town.bot.get_webhook_info()
    assert info.url == f"{receiver.url}/hook"
    assert "503" in info.last_error_message


async def test_a_deleted_webhook_gets_nothing_more(town: Town, receiver: Receiver):
    await town.bot.set_webhook(f"{receiver.url}/hook", drop_pending_updates=True)
    first = town.person.send("one")
    await receiver.until(1)
    await town.bot.delete_webhook()
    second = town.person.send("two")
    assert [update.update_id for update in await town.bot.get_updates(timeout=5)] == [second]
    assert [number for _, number, _ in receiver.got] == [first]


async def test_a_new_webhook_is_tried_at_once(town: Town, receiver: Receiver, monkeypatch):
    monkeypatch.setattr("bot.simulator.telegram.webhook.FIRST_PAUSE_SECONDS", 3600)
    receiver.answers = [500]
    await town.bot.set_webhook(f"{receiver.url}/hook")
    await receiver.until(1)
    await town.bot.set_webhook(f"{receiver.url}/hook")
    await receiver.until(2)
    assert [status for status, _, _ in receiver.got] == [500, 200]


async def test_a_stored_webhook_is_served_after_a_restart(open_town, receiver: Receiver, tmp_path):
    before = await open_town(store=tmp_path / "store.json")
    await before.bot.set_webhook(f"{receiver.url}/hook", secret_token="s1", allowed_updates=["message"])
    # What was posted but not yet seen as taken would be posted again.
    while (await before.bot.get_webhook_info()).pending_update_count:
        pass
    await before.simulator.close()
    unread = before.person.send("said while the webhook rested")
    await before.simulator.close()
    await open_town(store=tmp_path / "store.json")
    await receiver.until(2)
    assert receiver.got[1] == (200, unread, "s1")


@pytest.mark.parametrize(
    "url", ["https://example.com/hook", "ftp://127.0.0.1/x", "http://127.0.0.1.example.com/", "http://["]
)
async def test_webhooks_stay_on_this_machine(town: Town, url):
    with pytest.raises(TelegramBadRequest, match="bad webhook"):
        await town.bot.set_webhook(url)


async def test_a_webhooks_secret_has_few_letters(town: Town, receiver: Receiver):
    with pytest.raises(TelegramBadRequest, match="secret token contains unallowed characters"):
        await town.bot.set_webhook(receiver.url, secret_token="секрет")
    assert (await town.bot.get_webhook_info()).url == ""
