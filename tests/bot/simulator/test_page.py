import asyncio
import json
import subprocess
import sys

import pytest
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup

from bot.simulator.email.words import WORDS as EMAIL_WORDS
from bot.simulator.sms.words import WORDS as SMS_WORDS
from bot.simulator.words import LANGUAGES, WORDS, best_language
from tests.bot.simulator.conftest import Town, picture

SAME = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def home(town: Town) -> str:
    return f"{town.url}/simulator/people/{town.person.id}"


async def steps(http, home):
    """The steps of a page's live connection."""
    async with http.get(f"{home}/events") as answer:
        assert answer.headers["Content-Type"] == "text/event-stream"
        async for line in answer.content:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])


async def until(live, wanted):
    async with asyncio.timeout(5):
        async for step in live:
            if wanted(step):
                return step
    raise AssertionError


async def test_every_answer_of_the_page_carries_the_strict_headers(town: Town, http, home):
    for path in (
        "/simulator",
        "/simulator/",
        "/simulator/nothing",
        "/simulator/s/0/chat.js",
        home.removeprefix(town.url),
    ):
        async with http.get(town.url + path) as answer:
            policy = answer.headers["Content-Security-Policy"]
            assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "no-referrer"


async def test_files_of_the_page_are_immutable(town: Town, http):
    async with http.get(f"{town.url}/simulator") as answer:
        text = await answer.text()
    path = text.partition('<script src="')[2].partition('"')[0]
    async with http.get(town.url + path) as answer:
        assert "immutable" in answer.headers["Cache-Control"]
        assert answer.content_type == "text/javascript"
    async with http.get(f"{town.url}/simulator/s/000000000000/chat.js") as answer:
        assert "immutable" not in answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("ru-RU,ru;q=0.9", "ru"), ("de, uk;q=0.8, en;q=0.5", "uk"), ("de", "en"), ("", "en"), ("en;q=x, ru", "ru")],
)
def test_the_browsers_language_is_taken(accepted, language):
    assert best_language(accepted) == language


def test_every_language_says_everything():
    assert set(WORDS) == set(LANGUAGES)
    assert [set(words) ^ set(WORDS["en"]) for words in WORDS.values()] == [set()] * len(LANGUAGES)
    assert all(text.strip() for words in WORDS.values() for text in words.values())


@pytest.mark.parametrize("words", [SMS_WORDS, EMAIL_WORDS], ids=["sms", "email"])
def test_every_language_says_everything_of_an_inbox(words):
    assert set(words) == set(LANGUAGES)
    assert [set(said) ^ set(words["en"]) for said in words.values()] == [set()] * len(LANGUAGES)
    assert all(text.strip() for said in words.values() for text in said.values())


async def test_a_name_with_markup_is_inert(town: Town, http):
    town.simulator.add_person(
        first_name="<script>alert(1)</script>", last_name="'\"><img src=x>", phone="+447400000002"
    )
    async with http.get(f"{town.url}/simulator") as answer:
        text = await answer.text()
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


async def test_the_cookie_names_whose_chat_it_is(town: Town, http):
    async with http.post(f"{town.url}/simulator/people", json={"language": "uk"}, headers=SAME) as answer:
        other = (await answer.json())["id"]
        assert "HttpOnly" in answer.headers["Set-Cookie"]
    assert [person.id for person in town.simulator.people()] == [town.person.id, other]
    assert town.simulator.people()[1].phone.startswith("+380")
    async with http.get(f"{town.url}/simulator") as answer:
        assert f'data-person="{other}"' in await answer.text()
    async with http.post(f"{town.url}/simulator/people/{town.person.id}/choice", json={}, headers=SAME):
        pass
    async with http.get(f"{town.url}/simulator") as answer:
        assert f'data-person="{town.person.id}"' in await answer.text()


async def test_requests_of_other_sites_are_refused(town: Town, http, home):
    strangers = [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "http://evil.test"}, {}]
    paths = [f"{home}/{name}" for name in ("messages", "photos", "contact", "taps", "block", "start", "choice")]
    paths += [f"{town.url}/simulator/{name}" for name in ("people", "faults", "settings")]
    for path in paths:
        for headers in strangers:
            async with http.post(path, data=b"{}", headers=headers) as answer:
                assert answer.status == 403, path
    assert len(town.person.messages) == 1
    async with http.post(f"{home}/messages", json={"text": "ours"}, headers={"Origin": town.url}) as answer:
        assert answer.status == 200
    assert town.person.messages[-1]["text"] == "ours"


async def test_a_text_that_is_too_long_is_refused_politely(town: Town, http, home):
    async with http.post(f"{home}/messages", json={"text": "x" * 4097}, headers=SAME) as answer:
        assert answer.status == 422
        assert await answer.json() == {"ok": False, "reason": "too_long", "count": 4097}
    async with http.post(f"{home}/photos", data=b"no photo", headers=SAME) as answer:
        assert (await answer.json())["reason"] == "bad_photo"
    assert len(town.person.messages) == 1


async def test_the_person_acts_through_the_page(town: Town, http, home):
    for path, body in (
        ("start", {"payload": "card-1"}),
        ("contact", {}),
        ("taps", {"message_id": 1, "data": "d"}),
        ("block", {"blocked": True}),
        ("block", {"blocked": False}),
    ):
        async with http.post(f"{home}/{path}", json=body, headers=SAME) as answer:
            assert answer.status == 200
    async with http.post(f"{home}/photos?caption=Look", data=picture(), headers=SAME) as answer:
        assert answer.status == 200
    said = await town.bot.get_updates()
    assert said[1].message.text == "/start card-1"
    assert said[2].message.contact.user_id == town.person.id
    assert said[3].callback_query.data == "d"
    assert [update.my_chat_member.new_chat_member.status for update in said[4:6]] == ["kicked", "member"]
    assert said[6].message.caption == "Look"
    async with http.get(f"{town.url}/simulator/photos/{said[6].message.photo[-1].file_id}") as answer:
        assert (answer.content_type, await answer.read()) == ("image/png", picture())


async def test_the_page_gets_everything_once(town: Town, http, home):
    live = steps(http, home)
    first = await until(live, lambda step: True)
    assert [message["text"] for message in first["messages"]] == ["/start"]
    buttons = InlineKeyboardMarkup(inline_keyboard=[[InlineKeyboardButton(text="Go", callback_data="go")]])
    sent = await town.bot.send_message(town.person.id, "<b>x</b>", parse_mode="HTML", reply_markup=buttons)
    news = await until(live, lambda step: step["messages"])
    assert [message["id"] for message in news["messages"]] == [sent.message_id]
    assert news["ids"] == [1, sent.message_id]
    town.person.tap(sent.message_id, "go")
    assert (await until(live, lambda step: step["status"]["presses"]))["status"]["presses"] == [[sent.message_id, "go"]]
    query = (await town.bot.get_updates())[-1].callback_query
    await query.as_(town.bot).answer("Done", show_alert=True)
    heard = await until(live, lambda step: step["answers"])
    assert heard["answers"] == [{"text": "Done", "alert": True}]
    assert heard["status"]["presses"] == []
    await sent.delete()
    gone = await until(live, lambda step: sent.message_id not in step["ids"])
    assert gone["answers"] == gone["messages"] == []
    await live.aclose()
    again = steps(http, home)
    fresh = await until(again, lambda step: True)
    # A page that connects anew hears no old toast.
    assert (fresh["ids"], fresh["answers"]) == ([1], [])
    await again.aclose()


async def test_the_page_tells_when_nobody_listens(town: Town, http, home):
    town.simulator.telegram.exchange.updates.polled_at = -100.0
    live = steps(http, home)
    assert (await until(live, lambda step: True))["status"]["hint"] == "asleep"
    await town.bot.get_updates()
    await until(live, lambda step: step["status"]["hint"] == "")
    await live.aclose()


async def test_faults_are_set_from_the_page(town: Town, http):
    wanted = {"retry_after": 3, "lose_answers": 1, "server_errors": 2, "unauthorized": True}
    async with http.post(f"{town.url}/simulator/faults", json=wanted, headers=SAME) as answer:
        assert answer.status == 200
    faults = town.simulator.faults
    assert (faults.retry_after, faults.lose_answers, faults.server_errors, faults.unauthorized) == (3, 1, 2, True)
    async with http.post(f"{town.url}/simulator/faults", json={"retry_after": -1}, headers=SAME) as answer:
        assert answer.status == 422
    async with http.post(f"{town.url}/simulator/faults", json={}, headers=SAME):
        pass
    assert (faults.retry_after, faults.lose_answers, faults.server_errors, faults.unauthorized) == (0, 0, 0, False)


def test_the_simulator_imports_nothing_of_ours():
    code = (
        "import sys, bot.simulator; "
        "print([name for name in sys.modules if name.partition('.')[0] in ('loyalty', 'admin_web', 'aiogram')"
        " or name.startswith(('bot.', 'regulars')) and not name.startswith('bot.simulator')])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "[]"
