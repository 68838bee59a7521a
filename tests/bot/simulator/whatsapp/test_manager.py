"""WhatsApp Manager, without a browser: what it lists, takes and decides."""

from typing import Any

import pytest

from bot.simulator.whatsapp.manager import FIELDS, TURNS
from bot.simulator.whatsapp.manager_words import WORDS
from bot.simulator.whatsapp.templates import CATEGORIES
from bot.simulator.words import LANGUAGES
from tests.bot.simulator.test_page import SAME, steps, until
from tests.bot.simulator.whatsapp.conftest import City, text
from tests.bot.simulator.whatsapp.test_templates import filled

GIFT = {
    "name": "gift",
    "language": "ru",
    "category": "MARKETING",
    "body": "Hello {{1}}, you have {{2}} bonuses.",
    "examples": ["Anna", "100"],
}


@pytest.fixture
async def city(open_city) -> City:
    """Where whoever reads the page decides of templates."""
    city = await open_city()
    city.whatsapp.templates.verdict = ""
    return city


async def act(city: City, name: str, body: dict[str, Any], headers: Any = SAME) -> tuple[int, dict[str, Any]]:
    """What the page's script asks for: (status, answer)."""
    url = f"{city.url}/simulator/people/manager/{name}"
    async with city.http.post(url, json=body, headers=headers) as answer:
        return answer.status, await answer.json() if answer.status != 403 else {}


async def decide(city: City, event: str) -> int:
    return (await act(city, "review", {"name": "gift", "language": "ru", "event": event}))[0]


def test_every_language_says_everything():
    assert set(WORDS) == set(LANGUAGES)
    assert [set(words) ^ set(WORDS["en"]) for words in WORDS.values()] == [set()] * len(LANGUAGES)
    said = {f"status_{status}" for status in TURNS} | {f"category_{name}" for name in CATEGORIES} | set(FIELDS)
    said |= {f"turn_{turn}" for turns in TURNS.values() for turn in turns}
    assert said <= set(WORDS["en"])


async def test_a_chat_of_whatsapp_leads_to_the_manager_and_it_speaks_three_languages(city: City):
    async with city.http.get(f"{city.url}/simulator?in=whatsapp") as answer:
        assert '/simulator?in=manager"' in await answer.text()
    for language, heading in (("en", "Message templates"), ("ru", "Шаблоны сообщений"), ("uk", "Шаблони повідомлень")):
        headers = {"Accept-Language": language}
        async with city.http.get(f"{city.url}/simulator?in=manager", headers=headers) as answer:
            page = await answer.text()
        assert 'data-messenger="manager"' in page
        assert f"<h2>{heading}</h2>" in page
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


async def test_a_template_made_on_the_page_waits_for_its_decision_and_is_then_sent(city: City):
    live = steps(city.http, f"{city.url}/simulator/people/manager")
    assert (await until(live, lambda step: True))["status"]["templates"] == []
    assert await act(city, "create", GIFT) == (200, {"ok": True})
    [listed] = (await until(live, lambda step: step["status"]["templates"]))["status"]["templates"]
    assert listed == {
        **{field: GIFT[field] for field in ("name", "language", "category", "body")},
        "status": "PENDING",
        "reason": "",
        "turns": ["APPROVED", "REJECTED"],
    }
    assert (await city.send(filled("Anna", "5")))[1]["error"]["code"] == 132001
    assert await decide(city, "APPROVED") == 200
    await until(live, lambda step: step["status"]["templates"][0]["status"] == "APPROVED")
    assert (await city.send(filled("Anna", "5")))[0] == 200
    await live.aclose()


async def test_the_app_hears_of_every_decision(city: City):
    await act(city, "create", GIFT)
    for event in ("REJECTED", "APPROVED", "PAUSED", "APPROVED"):
        assert await decide(city, event) == 200
    changes = await city.app.until(lambda: city.app.changes[4:] and city.app.changes[1:])
    assert {change["field"] for change in changes} == {"message_template_status_update"}
    assert all(one["time"] for body in city.app.bodies[1:] for one in body["entry"])
    told = [(change["value"]["event"], change["value"]["reason"]) for change in changes]
    assert told == [("REJECTED", "INVALID_FORMAT"), ("APPROVED", "NONE"), ("PAUSED", "NONE"), ("APPROVED", "NONE")]


async def test_meta_decides_only_of_what_is_there_and_only_as_it_may(city: City):
    assert await decide(city, "APPROVED") == 422
    await act(city, "create", GIFT)
    assert await decide(city, "PAUSED") == 422
    assert await decide(city, "PENDING") == 422
    assert len(city.app.changes) == 1


@pytest.mark.parametrize(
    ("changes", "reason", "field"),
    [
        ({"name": "Big Letters"}, "bad_name", "name"),
        ({"language": "Russian!"}, "bad_language", "language"),
        ({"category": "GOSSIP"}, "bad_category", "category"),
        ({"body": " "}, "bad_body", "body"),
        ({"body": "x" * 1025}, "bad_body", "body"),
        ({"body": None}, "bad_body", "body"),
        ({"body": "{{1}} at the start"}, "variable_at_the_end", "body"),
        ({"body": "a {{1}} b {{3}} c"}, "variable_left_out", "body"),
        ({"examples": ["Anna", " "]}, "no_example", "examples"),
        ({"examples": "Anna"}, "no_example", "examples"),
    ],
)
async def test_what_the_api_refuses_is_refused_beside_its_field(city: City, changes, reason, field):
    status, answer = await act(city, "create", {**GIFT, **changes})
    assert (status, answer["reason"], answer["field"]) == (422, reason, field)
    assert city.whatsapp.templates.dump() == []


async def test_a_name_is_given_once_in_a_language(city: City):
    await act(city, "create", GIFT)
    status, answer = await act(city, "create", GIFT)
    assert (status, answer["reason"], answer["field"]) == (422, "name_taken", "name")


async def test_requests_of_other_sites_are_refused(city: City):
    for name in ("create", "review"):
        assert (await act(city, name, GIFT, {"Sec-Fetch-Site": "cross-site"}))[0] == 403
    assert city.whatsapp.templates.dump() == []


async def test_faults_of_the_manager_are_whatsapps(city: City):
    wanted = {"messenger": "manager", "unauthorized": True}
    async with city.http.post(f"{city.url}/simulator/faults", json=wanted, headers=SAME) as answer:
        assert answer.status == 200
    assert (await city.send(text("refused")))[1]["error"]["code"] == 190


async def test_decisions_survive_a_restart_and_what_waits_goes_on_waiting(open_city, tmp_path):
    before = await open_city(store=tmp_path / "chats.json")
    before.whatsapp.templates.verdict = ""
    for name in ("gift", "other"):
        await act(before, "create", {**GIFT, "name": name})
    await decide(before, "APPROVED")
    await before.simulator.close()
    after = await open_city(store=tmp_path / "chats.json")
    stock = {**GIFT, "name": "stock", "components": [{"type": "BODY", "text": "x"}], "status": "APPROVED"}
    after.whatsapp.templates.stock([stock])
    statuses = {one["name"]: one["status"] for one in after.whatsapp.templates.dump()}
    assert statuses == {"gift": "APPROVED", "other": "PENDING"}
