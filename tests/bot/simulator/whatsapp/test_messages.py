import aiohttp
import pytest

from tests.bot.simulator.conftest import picture
from tests.bot.simulator.whatsapp.conftest import City, asking, listing, text


def code(answer):
    """The code of a refusal, whose whole shape is checked."""
    status, body = answer
    assert status == 400
    error = body["error"]
    assert {"message", "type", "code", "error_data", "fbtrace_id"} <= error.keys()
    assert error["error_data"]["details"]
    return error["code"]


def opening(label, url):
    action = {"name": "cta_url", "parameters": {"display_text": label, "url": url}}
    return {"type": "interactive", "interactive": {"type": "cta_url", "body": {"text": "Look"}, "action": action}}


async def test_a_text_arrives_and_is_answered_with_its_id(city: City):
    status, body = await city.send(text("*Hello* you"))
    assert status == 200
    assert body["contacts"] == [
        {"input": city.person.wa_id, "wa_id": city.person.wa_id, "user_id": city.person.user_id}
    ]
    told = await city.person.wait_for(lambda message: True)
    assert (told["id"], told["text"]) == (body["messages"][0]["id"], "*Hello* you")
    assert told["id"].startswith("wamid.")


async def test_somebody_without_a_phone_is_written_to_by_their_user_id(city: City):
    hidden = city.whatsapp.add_person(name="Nobody", phone=None, user_id="RU.123")
    hidden.send("hi")
    body = {"messaging_product": "whatsapp", "recipient": "RU.123", **text("hello")}
    status, answer = await city.call("1000000/messages", body)
    assert (status, answer["contacts"]) == (200, [{"input": "RU.123", "user_id": "RU.123"}])
    assert (await hidden.wait_for(lambda message: True))["text"] == "hello"


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ({"type": "text"}, 100),
        (text(""), 100),
        (text("x" * 4097), 100),
        ({"type": "text", "text": {"body": 5}}, 100),
        ({"type": "dance", "dance": {}}, 100),
        ({"type": ["text"]}, 100),
        (asking(), 131009),
        (asking("a", "b", "c", "d"), 131009),
        (asking("x" * 21), 131009),
        (asking("a", "a"), 131009),
        (asking("a", body="x" * 1025), 131009),
        (listing(), 131009),
        (listing(*({"id": str(n), "title": str(n)} for n in range(11))), 131009),
        (listing({"id": "1", "title": "x" * 25}), 131009),
        (listing({"id": "1", "title": "x", "description": "x" * 73}), 131009),
        (listing({"id": "1", "title": "a"}, {"id": "1", "title": "b"}), 131009),
        (listing({"id": "1", "title": "a"}, label="x" * 21), 131009),
        ({"type": "interactive", "interactive": {"type": "cta"}}, 131009),
        ({"type": "interactive", "interactive": {"type": "button", "body": {"text": "x"}}}, 131008),
        (opening("Open", "javascript:alert(1)"), 131009),
        (opening("x" * 21, "https://shop.example"), 131009),
        ({"type": "image", "image": {"id": "1"}}, 131009),
        ({"type": "image", "image": {"link": "https://example.com/a.png"}}, 131053),
        ({"type": "reaction", "reaction": {}}, 131008),
        ({"type": "template", "template": {}}, 131008),
        ({**text("x"), "biz_opaque_callback_data": "x" * 513}, 100),
        ({**text("x"), "to": "somebody"}, 131009),
        ({**text("x"), "to": ""}, 100),
        ({**text("x"), "messaging_product": "telegram"}, 100),
        ({**text("x"), "recipient_type": "crowd"}, 100),
    ],
)
async def test_what_the_cloud_api_does_not_take_is_refused_with_its_code(city: City, content, wanted):
    assert code(await city.send(content)) == wanted
    assert [message["outgoing"] for message in city.person.messages] == [True]


async def test_the_longest_that_is_taken_arrives(city: City):
    rows = [{"id": str(n), "title": f"{n}".ljust(24, "x"), "description": "y" * 72} for n in range(10)]
    for content in (
        text("x" * 4096),
        asking("a" * 20, "b" * 20, "c" * 20, body="x" * 1024),
        listing(*rows, label="z" * 20),
    ):
        assert (await city.send(content))[0] == 200
    assert len(city.person.messages) == 4
    assert city.person.messages[-1]["list"]["rows"] == rows


async def test_a_file_is_uploaded_sent_and_loaded_with_the_token_alone(city: City):
    status, answer = await city.upload(picture())
    assert status == 200
    assert (await city.send({"type": "image", "image": {"id": answer["id"], "caption": "Look"}}))[0] == 200
    assert city.person.messages[-1]["caption"] == "Look"
    assert city.person.messages[-1]["image"] == {"file": answer["id"], "width": 80, "height": 40}
    status, facts = await city.call(answer["id"], method="GET")
    assert (status, facts["mime_type"], facts["file_size"]) == (200, "image/png", len(picture()))
    async with city.http.get(facts["url"]) as loaded:
        assert loaded.status == 401
    async with city.http.get(facts["url"], headers={"Authorization": "Bearer right"}) as loaded:
        assert await loaded.read() == picture()


async def test_an_upload_of_another_type_or_of_nothing_is_refused(city: City):
    assert code(await city.upload(b"x", "application/x-shellscript")) == 100
    assert code(await city.upload(b"no picture")) == 131053
    assert code(await city.upload(b"", "application/pdf")) == 131053
    form = aiohttp.FormData({"type": "image/png"})
    form.add_field("file", picture(), content_type="image/png", filename="a.png")
    assert code(await city.call("1000000/media", form)) == 100


async def test_a_document_keeps_the_name_that_it_is_sent_under(city: City):
    _, answer = await city.upload(b"%PDF", "application/pdf", "x.pdf")
    await city.send({"type": "document", "document": {"id": answer["id"], "filename": "receipt.pdf"}})
    assert city.person.messages[-1]["document"] == {"file": answer["id"], "name": "receipt.pdf", "size": 4}


async def test_a_button_that_opens_an_address_is_shown_under_its_text(city: City):
    await city.send(opening("Menu", "https://shop.example/menu"))
    told = city.person.messages[-1]
    assert (told["text"], told["link"]) == ("Look", {"text": "Menu", "url": "https://shop.example/menu"})


async def test_the_number_tells_itself_and_other_nodes_are_unknown(city: City):
    assert await city.call("1000000?fields=display_phone_number", method="GET") == (
        200,
        {"display_phone_number": "+44 7400 000000", "id": "1000000"},
    )
    assert code(await city.call("1000000?fields=shoe_size", method="GET")) == 100
    assert code(await city.call("1000001", method="GET")) == 100
    assert code(await city.call("1000001/messages", text("x"))) == 100
    assert code(await city.call("some/other/path", {})) == 100


async def test_reading_and_reacting_are_seen_by_the_person(city: City):
    name = city.person.messages[0]["id"]
    read = {"messaging_product": "whatsapp", "status": "read", "message_id": name, "typing_indicator": {"type": "text"}}
    assert await city.call("1000000/messages", read) == (200, {"success": True})
    assert city.person.messages[0]["read"]
    assert city.whatsapp.status(city.person)["typing"]
    assert (await city.send({"type": "reaction", "reaction": {"message_id": name, "emoji": "👍"}}))[0] == 200
    assert city.person.messages[0]["their_reaction"] == "👍"
    assert code(await city.call("1000000/messages", {**read, "message_id": "wamid.other"})) == 100


async def test_calls_are_noted(city: City):
    await city.send(text("x"), biz_opaque_callback_data="17")
    method, fields = city.whatsapp.calls[-1]
    assert (method, fields["biz_opaque_callback_data"], fields["text"]) == ("messages", "17", {"body": "x"})
