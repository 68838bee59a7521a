import asyncio

import pytest

from tests.bot.simulator.whatsapp.conftest import City

GIFT = {
    "name": "gift",
    "language": "ru",
    "category": "MARKETING",
    "components": [
        {"type": "HEADER", "format": "TEXT", "text": "A gift"},
        {
            "type": "BODY",
            "text": "Hello {{1}}, you have {{2}} bonuses.",
            "example": {"body_text": [["Anna", "100"]]},
        },
        {"type": "FOOTER", "text": "Coffee"},
        {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Thanks"}]},
    ],
}


def filled(*values: str, name: str = "gift", language: str = "ru"):
    parameters = [{"type": "text", "text": value} for value in values]
    template = {
        "name": name,
        "language": {"code": language},
        "components": [{"type": "body", "parameters": parameters}],
    }
    return {"type": "template", "template": template}


async def create(city: City, **changes):
    return await city.call("2000000/message_templates", {**GIFT, **changes})


async def approved(city: City, **changes):
    """A template that has passed its review."""
    heard = len(city.app.changes)
    assert (await create(city, **changes))[0] == 200
    await city.app.until(lambda: len(city.app.changes) > heard)
    return city.app.changes[-1]


async def test_a_template_is_pending_then_approved_and_the_app_hears_of_it(city: City):
    status, made = await create(city)
    assert (status, made["status"], made["category"]) == (200, "PENDING", "MARKETING")
    assert (await city.send(filled("Anna", "5")))[1]["error"]["code"] == 132001
    await city.app.until(lambda: len(city.app.changes) == 2)
    news = city.app.changes[1]
    assert news["field"] == "message_template_status_update"
    assert (news["value"]["event"], news["value"]["message_template_name"]) == ("APPROVED", "gift")
    assert (await city.send(filled("Anna", "5")))[0] == 200
    told = city.person.messages[-1]
    assert (told["text"], told["header"], told["footer"]) == ("Hello Anna, you have 5 bonuses.", "A gift", "Coffee")
    city.person.tap(told, "Thanks")
    await city.app.until(lambda: city.app.messages[-1]["type"] == "button")
    assert city.app.messages[-1]["button"] == {"payload": "Thanks", "text": "Thanks"}


async def test_a_review_may_reject_and_a_template_be_paused(city: City):
    city.whatsapp.templates.verdict = "REJECTED"
    news = await approved(city)
    assert (news["value"]["event"], news["value"]["reason"]) == ("REJECTED", "INVALID_FORMAT")
    for event, code in (("PAUSED", 132015), ("DISABLED", 132016), ("PENDING", 132001)):
        city.whatsapp.templates.review("gift", "ru", event)
        assert (await city.send(filled("Anna", "5")))[1]["error"]["code"] == code
    listed = await city.call("2000000/message_templates?limit=1", method="GET")
    assert [one["status"] for one in listed[1]["data"]] == ["PENDING"]


async def test_templates_are_listed_page_by_page(city: City):
    for name in ("a", "b", "c"):
        await create(city, name=name)
    names, after = [], ""
    while True:
        _, page = await city.call(f"2000000/message_templates?limit=2&after={after}", method="GET")
        names += [one["name"] for one in page["data"]]
        if "next" not in page.get("paging", {}):
            break
        after = page["paging"]["cursors"]["after"]
    assert names == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (filled("Anna"), 132000),
        (filled("Anna", "5", "6"), 132000),
        (filled("Anna", "5", language="en"), 132001),
        (filled("Anna", "5", name="other"), 132001),
        (filled("Anna", "two\nlines"), 132018),
        (filled("Anna", ""), 132018),
    ],
)
async def test_a_template_is_sent_as_it_was_approved_or_not_at_all(city: City, content, code):
    await approved(city)
    assert (await city.send(content))[1]["error"]["code"] == code


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "Big Letters"},
        {"category": "GOSSIP"},
        {"language": "Russian!"},
        {"components": []},
        {"components": [{"type": "BODY", "text": "x" * 1025}]},
        {"components": [{"type": "BODY", "text": "{{1}} at the start", "example": {"body_text": [["x"]]}}]},
        {"components": [{"type": "BODY", "text": "a {{2}} b", "example": {"body_text": [["x"]]}}]},
        {"components": [{"type": "BODY", "text": "a {{1}} without an example"}]},
    ],
)
async def test_what_meta_does_not_take_for_review_is_refused(city: City, changes):
    status, body = await create(city, **changes)
    assert (status, body["error"]["code"]) == (400, 100)


async def test_a_name_is_given_once_in_a_language(city: City):
    await create(city)
    status, body = await create(city)
    assert (status, body["error"]["error_subcode"]) == (400, 2388024)
    assert (await create(city, language="uk"))[0] == 200


async def test_a_review_goes_on_after_a_restart(open_city, tmp_path, monkeypatch):
    monkeypatch.setattr("bot.simulator.whatsapp.templates.REVIEW_SECONDS", 3600)
    before = await open_city(store=tmp_path / "chats.json")
    await create(before)
    await before.simulator.close()
    monkeypatch.setattr("bot.simulator.whatsapp.templates.REVIEW_SECONDS", 0.01)
    after = await open_city(store=tmp_path / "chats.json")
    await after.app.until(lambda: after.app.changes)
    assert after.app.changes[-1]["value"]["event"] == "APPROVED"
    await asyncio.sleep(0)
