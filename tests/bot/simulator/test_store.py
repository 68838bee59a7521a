import json

import pytest
from aiogram.types import BufferedInputFile, KeyboardButton, ReplyKeyboardMarkup

from bot.simulator import Simulator
from tests.bot.simulator.conftest import TOKEN, picture


async def test_chats_and_unconfirmed_updates_survive_a_restart(open_town, tmp_path):
    path = tmp_path / "deep" / "store.json"
    before = await open_town(store=path)
    data = picture()
    keyboard = ReplyKeyboardMarkup(keyboard=[[KeyboardButton(text="Card")]])
    await before.bot.get_updates(offset=(await before.bot.get_updates())[-1].update_id + 1)
    await before.bot.send_message(before.person.id, "hello", reply_markup=keyboard)
    photo = await before.bot.send_photo(before.person.id, BufferedInputFile(data, "a.png"))
    unread = before.person.send("unread")
    await before.simulator.close()

    after = await open_town(store=path)
    assert after.person is not before.person
    assert after.person.messages == before.person.messages
    assert after.person.keyboard == [[{"text": "Card"}]]
    assert [update.update_id for update in await after.bot.get_updates()] == [unread]
    assert (await after.bot.download(photo.photo[-1])).read() == data
    sent = await after.bot.send_message(after.person.id, "again")
    assert sent.message_id == before.person.messages[-1]["message_id"] + 1
    assert after.person.send("later") > unread


async def test_a_change_is_written_without_closing(open_town, tmp_path):
    path = tmp_path / "store.json"
    town = await open_town(store=path)
    town.person.send("kept")
    timer = town.simulator._store._timer
    assert timer is not None
    timer._run()
    assert [message["text"] for message in json.loads(path.read_text())["people"][0]["messages"]] == ["/start", "kept"]
    assert path.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("content", ["{", '{"format": 99}'])
async def test_a_file_of_something_else_is_never_overwritten(tmp_path, content):
    path = tmp_path / "store.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"store\.json"):
        Simulator(token=TOKEN, store=path)
    assert path.read_text() == content


async def test_the_last_fifty_photos_are_kept(open_town, monkeypatch):
    monkeypatch.setattr("bot.simulator.photos.MOST_KEPT", 2)
    town = await open_town()
    names = [town.simulator.telegram.exchange.photos.add(picture()).sizes()[0]["file_id"] for _ in range(3)]
    assert [town.simulator.telegram.exchange.photos.find(name) is not None for name in names] == [False, True, True]
