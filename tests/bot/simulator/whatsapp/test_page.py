"""The chat page of WhatsApp, without a browser."""

import json
from typing import Any

import pytest

from bot.simulator import Simulator
from bot.simulator.whatsapp.words import WORDS
from bot.simulator.words import LANGUAGES
from bot.simulator.words import WORDS as SHARED
from tests.bot.simulator.conftest import picture
from tests.bot.simulator.whatsapp.conftest import City, asking, listing, text

SAME = {"Sec-Fetch-Site": "same-origin"}


async def act(city: City, name: str, body: Any = None, **how: Any) -> int:
    """What the page's script asks for the person; the status."""
    url = f"{city.url}/simulator/people/{city.person.id}/{name}"
    content = how or {"json": body or {}}
    async with city.http.post(url, headers=SAME, **content) as answer:
        return answer.status


def test_every_language_says_everything():
    assert set(WORDS) == set(LANGUAGES)
    assert [set(words) ^ set(WORDS["en"]) for words in WORDS.values()] == [set()] * len(LANGUAGES)
    assert all(said.strip() for words in WORDS.values() for said in words.values())


def test_every_fault_has_its_words():
    simulator = Simulator(token="1:x")
    for messenger in (simulator.telegram, simulator.whatsapp):
        words = {**SHARED["en"], **messenger.words.get("en", {})}
        for name in messenger.faults.__dataclass_fields__:
            assert words[f"fault_{name}"]
            assert words[f"fault_{name}_hint"]


async def test_an_open_page_reads_what_arrives(city: City):
    await city.send(text("before"))
    events = f"{city.url}/simulator/people/{city.person.id}/events"
    async with city.http.get(events) as answer:
        async for line in answer.content:
            if line.startswith(b"data: "):
                assert [one["text"] for one in json.loads(line[6:])["messages"]] == ["Hello", "before"]
                break
        await city.send(text("meanwhile"))
        await city.app.until(lambda: len(city.app.statuses) == 6)
    assert [one["status"] for one in city.app.statuses].count("read") == 2


async def test_the_person_acts_through_the_page(city: City):
    await city.send(asking("Yes"))
    await city.send(listing({"id": "r", "title": "Row"}))
    buttons, rows = city.person.messages[-2:]
    for name, body in (
        ("start", {"payload": "card-1"}),
        ("messages", {"text": "typed"}),
        ("location", {}),
        ("contact", {}),
        ("taps", {"message_id": buttons["id"], "data": "id-Yes"}),
        ("taps", {"message_id": rows["id"], "data": "r", "kind": "list"}),
        ("reactions", {"message_id": buttons["id"], "emoji": "🙏"}),
    ):
        assert await act(city, name, body) == 200, name
    assert await act(city, "photos?caption=Look", data=picture()) == 200
    assert await act(city, "documents?name=a.txt&mime=text/plain", data=b"words") == 200
    await city.app.until(lambda: len(city.app.messages) == 10)
    kinds = [message["type"] for message in city.app.messages[1:]]
    assert kinds == [
        *("text", "text", "location", "contacts", "interactive", "interactive", "reaction", "image", "document"),
    ]
    assert city.app.messages[1]["text"] == {"body": "/start card-1"}
    assert city.app.messages[9]["document"]["mime_type"] == "text/plain"
    for name, body in (("offers", {"offers": False}), ("day", {}), ("block", {"blocked": True})):
        assert await act(city, name, body) == 200
    assert (city.person.takes_offers, city.person.window_is_open, city.person.blocked) == (False, False, True)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("messages", {"text": "x" * 4097}),
        ("messages", {}),
        ("taps", {"message_id": "wamid.none", "data": "x"}),
        ("reactions", {"message_id": "wamid.none", "emoji": "🙏"}),
        ("reactions", {"message_id": "wamid.none", "emoji": "anything"}),
    ],
)
async def test_what_cannot_be_done_is_refused_politely(city: City, name, body):
    assert await act(city, name, body) == 422
    assert len(city.person.messages) == 1


async def test_requests_of_other_sites_are_refused(city: City):
    names = ("messages", "photos", "documents", "contact", "location", "taps", "reactions", "offers", "day", "block")
    for name in (*names, "start", "twin"):
        url = f"{city.url}/simulator/people/{city.person.id}/{name}"
        async with city.http.post(url, data=b"{}", headers={"Sec-Fetch-Site": "cross-site"}) as answer:
            assert answer.status == 403, name
    assert len(city.person.messages) == 1
    assert await act(city, "jump") == 404


async def test_a_link_opens_a_chat_in_the_messenger_that_it_names(city: City):
    async with city.http.get(f"{city.url}/simulator?start=j_abc&in=whatsapp") as answer:
        page = await answer.text()
    assert f'data-person="{city.person.id}"' in page
    assert 'data-payload="j_abc"' in page
    async with city.http.get(f"{city.url}/simulator?in=telegram") as answer:
        assert 'data-messenger="telegram"' in await answer.text()


async def test_newcomers_come_with_a_number_or_hide_it(city: City):
    for kind in ("whatsapp", "whatsapp_hidden"):
        body = {"kind": kind, "language": "uk"}
        async with city.http.post(f"{city.url}/simulator/people", json=body, headers=SAME) as answer:
            assert answer.status == 200
    shown, hidden = city.whatsapp.people()[1:]
    assert (shown.phone or "").startswith("+380")
    assert (hidden.phone, hidden.own_phone[:4], (hidden.user_id or "")[:3]) == (None, "+380", "RU.")
    async with city.http.post(f"{city.url}/simulator/people", json={"kind": "pigeon"}, headers=SAME) as answer:
        assert answer.status == 422


async def test_the_same_human_in_the_other_messenger_is_found_or_made_once(city: City):
    assert await act(city, "twin", {"messenger": "telegram"}) == 200
    assert await act(city, "twin", {"messenger": "telegram"}) == 200
    assert await act(city, "twin", {"messenger": "whatsapp"}) == 422
    assert [(one.full_name, one.phone) for one in city.simulator.people()] == [("Anna Reed", "+79165550101")]


async def test_files_of_people_are_handed_over_and_never_shown_as_a_page(city: City):
    city.person.send_document(b"<script>alert(1)</script>", "x.html", "text/html")
    file = city.person.messages[-1]["document"]["file"]
    async with city.http.get(f"{city.url}/simulator/photos/{file}") as answer:
        assert answer.headers["Content-Disposition"] == "attachment"
        assert answer.content_type == "application/octet-stream"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
