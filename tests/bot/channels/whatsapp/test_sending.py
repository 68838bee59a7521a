"""What the Graph API is told, and what its answers mean: over HTTP, against a stand-in with a state."""

import asyncio

import pytest
from aiohttp import web

from bot.channels.base import (
    ChatRateLimited,
    File,
    Filled,
    OptedOut,
    Outgoing,
    RateLimited,
    Rejected,
    SendError,
    TemplateRefused,
    Unanswered,
    Unauthorized,
    Unreachable,
    WindowClosed,
)
from bot.channels.whatsapp import WhatsAppChannel, client
from bot.channels.whatsapp import channel as channel_module
from bot.channels.whatsapp.errors import MEANINGS, reported
from loyalty.conversations.content import SAID, Button, Content, Link
from tests.bot.channels.whatsapp.graph import TOKEN, VERSION, Graph, answers, cut, never, refused, serving
from tests.bot.channels.whatsapp.payloads import ANNA, ANNA_ID, PHONE_NUMBER_ID, status
from tests.bot.conftest import until

PNG = b"\x89PNG made up"


@pytest.fixture
async def graph():
    graph = Graph()
    async with serving(graph):
        yield graph


@pytest.fixture
async def channel(graph):
    channel = open_channel(graph, TOKEN)
    yield channel
    await channel.close()


def open_channel(graph: Graph, token: str) -> WhatsAppChannel:
    return WhatsAppChannel(
        access_token=token,
        phone_number_id=PHONE_NUMBER_ID,
        app_secret="secret",
        verify_token="verify",
        api_url=f"{graph.url}{VERSION}",
    )


def a_message(content: Content | None = None, **more) -> Outgoing:
    return Outgoing(4711, **{"address": ANNA, "language": "ru", "content": content or Content("Привет"), **more})


def buttons(*labels: str) -> tuple[tuple[Button, ...], ...]:
    return (tuple(Button(label, f"pick:{number}:1") for number, label in enumerate(labels)),)


async def sent(channel: WhatsAppChannel, graph: Graph, message: Outgoing) -> dict:
    """A message as it was told to the Graph API."""
    await channel.send(message)
    return graph.messages[-1]


# ------------------------------------------------------------------------------------------------ shapes


async def test_a_text_carries_our_number_of_it_and_comes_back_with_a_name(channel, graph):
    assert await channel.send(a_message(Content("На карте 150 бонусов", strong="150"))) == "wamid.1"
    assert graph.messages == [
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": ANNA,
            "type": "text",
            "text": {"body": "На карте *150* бонусов", "preview_url": False},
            "biz_opaque_callback_data": "4711",
        }
    ]


@pytest.mark.parametrize(
    ("address", "alias", "whom"),
    [
        (ANNA, None, {"to": ANNA}),
        (ANNA_ID, ANNA, {"to": ANNA}),
        (ANNA_ID, None, {"recipient": ANNA_ID}),
    ],
)
async def test_who_hides_their_number_is_written_to_by_their_id(channel, graph, address, alias, whom):
    body = await sent(channel, graph, a_message(address=address, alias=alias))
    assert {key: body[key] for key in ("to", "recipient") if key in body} == whom


async def test_up_to_three_short_choices_are_buttons(channel, graph):
    body = await sent(channel, graph, a_message(Content("Язык?", buttons=buttons("English", "Русский", "Українська"))))
    assert body["type"] == "interactive"
    assert body["interactive"] == {
        "type": "button",
        "body": {"text": "Язык?"},
        "action": {
            "buttons": [
                {"type": "reply", "reply": {"id": "pick:0:1", "title": "English"}},
                {"type": "reply", "reply": {"id": "pick:1:1", "title": "Русский"}},
                {"type": "reply", "reply": {"id": "pick:2:1", "title": "Українська"}},
            ]
        },
    }


async def test_one_address_is_a_button_and_stands_under_a_picture_too(channel, graph):
    content = Content("Новое меню", links=(Link("Открыть", "https://shop.example/menu"),))
    body = await sent(channel, graph, a_message(content))
    assert body["interactive"] == {
        "type": "cta_url",
        "body": {"text": "Новое меню"},
        "action": {
            "name": "cta_url",
            "parameters": {"display_text": "Открыть", "url": "https://shop.example/menu"},
        },
    }
    body = await sent(channel, graph, a_message(content, file=File(PNG, "image/png")))
    assert body["interactive"]["header"]["type"] == "image"


async def test_more_or_longer_choices_are_a_list_that_tells_long_ones_in_full(channel, graph):
    long = "Кофейня на Большой Садовой улице, 14"
    labels = ("На Тверской", long, *(f"Кофейня {number}" for number in range(3, 10)))
    body = await sent(channel, graph, a_message(Content("Какая кофейня?", buttons=buttons(*labels))))
    interactive = body["interactive"]
    assert (interactive["type"], interactive["action"]["button"]) == ("list", "Выбрать")
    (section,) = interactive["action"]["sections"]
    assert len(section["rows"]) == 9
    assert section["rows"][0] == {"id": "pick:0:1", "title": "На Тверской"}
    assert section["rows"][1] == {"id": "pick:1:1", "title": "Кофейня на Большой Садо…"[:23] + "…", "description": long}
    assert all(len(row["title"]) <= 24 and len(row.get("description", "")) <= 72 for row in section["rows"])


async def test_still_more_choices_are_numbered_lines(channel, graph):
    body = await sent(channel, graph, a_message(Content("Какая?", buttons=buttons(*map(str, range(20, 31))))))
    assert body["text"]["body"].startswith("Какая?\n\n1. 20\n2. 21\n")


async def test_the_menu_is_a_list_whose_rows_are_said(channel, graph):
    body = await sent(channel, graph, a_message(Content("Здравствуйте!", menu=(("Карта",), ("Баланс", "История")))))
    action = body["interactive"]["action"]
    assert action["button"] == "Меню"
    assert [row["id"] for row in action["sections"][0]["rows"]] == [SAID + "Карта", SAID + "Баланс", SAID + "История"]


async def test_a_picture_is_uploaded_and_shown_with_its_words(channel, graph):
    body = await sent(channel, graph, a_message(Content("Карта\n1234", strong="1234"), file=File(PNG, "image/png")))
    assert body["type"] == "image"
    assert body["image"]["caption"] == "Карта\n*1234*"
    assert graph.files[body["image"]["id"]] == {
        "product": "whatsapp",
        "type": "image/png",
        "mime": "image/png",
        "name": "file",
        "body": PNG,
    }


async def test_a_large_file_goes_like_a_small_one(channel, graph):
    body = await sent(channel, graph, a_message(file=File(b"x" * 5 * 2**20, "image/jpeg", "card.jpg")))
    assert len(graph.files[body["image"]["id"]]["body"]) == 5 * 2**20


async def test_a_document_keeps_its_name(channel, graph):
    file = File(b"%PDF", "application/pdf", "Правила клуба.pdf")
    body = await sent(channel, graph, a_message(Content(""), file=file))
    assert body["document"] == {"id": body["document"]["id"], "filename": "Правила клуба.pdf"}
    assert graph.files[body["document"]["id"]]["body"] == b"%PDF"


async def test_buttons_stand_under_a_picture(channel, graph):
    content = Content("Ваша карта", buttons=buttons("Обновить"))
    body = await sent(channel, graph, a_message(content, file=File(PNG, "image/png")))
    assert body["interactive"]["header"]["type"] == "image"
    assert body["interactive"]["header"]["image"]["id"] in graph.files
    assert body["interactive"]["body"] == {"text": "Ваша карта"}


async def test_a_picture_with_many_choices_goes_before_them(channel, graph):
    content = Content("Какой?", picture="card", buttons=buttons(*"абвгд"))
    assert await channel.send(a_message(content, file=File(PNG, "image/png"))) == "wamid.3"
    assert [body["type"] for body in graph.messages] == ["image", "interactive"]
    assert ["biz_opaque_callback_data" in body for body in graph.messages] == [False, True]


async def test_a_template_is_filled_in_with_its_variables_on_one_line(channel, graph):
    template = Filled("bonuses_expire", "ru", ("Анна", "150\n бонусов"))
    body = await sent(channel, graph, a_message(template=template, file=File(PNG, "image/png")))
    assert body["type"] == "template"
    assert body["template"] == {
        "name": "bonuses_expire",
        "language": {"code": "ru"},
        "components": [
            {"type": "body", "parameters": [{"type": "text", "text": "Анна"}, {"type": "text", "text": "150 бонусов"}]}
        ],
    }
    assert graph.files == {}
    plain = await sent(channel, graph, a_message(template=Filled("hello", "en", ())))
    assert plain["template"] == {"name": "hello", "language": {"code": "en"}}


async def test_a_template_is_charged_and_a_text_within_the_hours_is_not(channel):
    assert channel.units(a_message(Content("Ждём вас"))) == 0
    assert channel.units(a_message(template=Filled("hello", "en", ()))) == 1


async def test_no_words_beside_buttons_are_dots_and_the_mark_makes_no_text_too_long(channel, graph):
    body = await sent(channel, graph, a_message(Content("", buttons=buttons("Да"))))
    assert body["interactive"]["body"] == {"text": "…"}
    full = Content("я" * 1023 + "1", strong="1", buttons=buttons("Да"))
    body = await sent(channel, graph, a_message(full))
    assert len(body["interactive"]["body"]["text"]) == 1024
    assert "*" not in body["interactive"]["body"]["text"]


# ---------------------------------------------------------------------------------------------- outcomes

OUTCOMES = [
    (131047, WindowClosed, "window_closed"),
    (470, WindowClosed, "window_closed"),
    (131026, Unreachable, "gone"),
    (131030, Rejected, "not_allowed"),
    (131021, Rejected, "rejected"),
    (131049, Rejected, "per_user_cap"),
    (130472, Rejected, "per_user_cap"),
    (130497, Rejected, "country"),
    (131050, OptedOut, "opted_out"),
    (130429, RateLimited, "rate"),
    (131048, RateLimited, "rate"),
    (80007, RateLimited, "rate"),
    (4, RateLimited, "rate"),
    (131057, RateLimited, "rate"),
    (131056, ChatRateLimited, "chat_rate"),
    (132000, TemplateRefused, "template"),
    (132001, TemplateRefused, "template"),
    (132005, TemplateRefused, "template"),
    (132007, TemplateRefused, "template"),
    (132012, TemplateRefused, "template"),
    (132015, TemplateRefused, "template"),
    (132016, TemplateRefused, "template"),
    (132068, TemplateRefused, "template"),
    (0, Unauthorized, "unauthorized"),
    (3, Unauthorized, "unauthorized"),
    (10, Unauthorized, "unauthorized"),
    (190, Unauthorized, "unauthorized"),
    (200, Unauthorized, "unauthorized"),
    (299, Unauthorized, "unauthorized"),
    (131005, Unauthorized, "unauthorized"),
    (131042, Unauthorized, "payment"),
    (131031, Unauthorized, "locked"),
    (368, Unauthorized, "locked"),
    (33, Unauthorized, "number"),
    (131037, Unauthorized, "number"),
    (131045, Unauthorized, "number"),
    (133010, Unauthorized, "number"),
    (131052, Rejected, "media"),
    (131053, Rejected, "media"),
    (100, Rejected, "rejected"),
    (131008, Rejected, "rejected"),
    (131009, Rejected, "rejected"),
    (131051, Rejected, "rejected"),
    (1, Unanswered, "no_answer"),
    (2, Unanswered, "no_answer"),
    (131000, Unanswered, "no_answer"),
    (131016, Unanswered, "no_answer"),
    (133004, Unanswered, "no_answer"),
    (999_999, Rejected, "rejected"),
]


@pytest.mark.parametrize(("code", "kind", "reason"), OUTCOMES)
async def test_a_code_means_the_same_as_an_answer_and_in_a_status(channel, graph, code, kind, reason):
    graph.misbehaves = answers(lambda: refused(code))
    with pytest.raises(SendError) as caught:
        await channel.send(a_message())
    later = reported(status("failed", errors=[{"code": code, "title": "Title"}])["errors"])
    for error in (caught.value, later):
        assert type(error) is kind
        assert error.reason == reason
    assert graph.messages == []


def test_every_known_code_is_looked_at_here():
    assert set(MEANINGS) <= {code for code, _, _ in OUTCOMES}


@pytest.mark.parametrize(
    ("response", "kind"),
    [
        (lambda: web.Response(text="<html>Bad gateway</html>", status=502, content_type="text/html"), Unanswered),
        (lambda: web.Response(text="<html>Sign in</html>", content_type="text/html"), Unanswered),
        (lambda: web.Response(text="<html>Forbidden</html>", status=403, content_type="text/html"), Unanswered),
        (lambda: web.Response(status=302, headers={"Location": "/"}), Unanswered),
        (lambda: web.json_response({"error": {"message": "oops"}}, status=500), Unanswered),
        (lambda: web.json_response([], status=200), Unanswered),
        (lambda: web.json_response({}), Unanswered),
        (lambda: web.json_response({"messages": []}), Unanswered),
        (lambda: web.json_response({"messages": [{"id": 7}]}), Unanswered),
        (lambda: web.json_response({"messages": [{"id": "x" * 500}]}), Unanswered),
        (lambda: web.Response(text="[" * 100_000), Unanswered),
        (lambda: web.Response(body=b"{" + b" " * 2**21), Unanswered),
        (lambda: web.json_response({"error": {"code": "odd"}}, status=400), Rejected),
        (lambda: web.json_response({"error": "odd"}, status=401), Unauthorized),
        (lambda: web.Response(status=429), RateLimited),
        (lambda: refused(131047, status=429), WindowClosed),
        (lambda: refused(190, status=500), Unauthorized),
        (lambda: refused(131047, status=200), WindowClosed),
    ],
)
async def test_an_answer_is_judged_by_its_code_and_then_by_its_status(channel, graph, response, kind):
    graph.misbehaves = answers(response)
    with pytest.raises(SendError) as caught:
        await channel.send(a_message())
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("code", "header", "seconds"),
    [
        (130429, None, 5),
        (80007, None, 60),
        (131048, None, 600),
        (131056, None, 6),
        (130429, "17", 17),
        (130429, "0", 1),
        (4, "99999999", 3600),
        (4, "Wed, 21 Oct 2026 07:28:00 GMT", 60),
        (131056, "12", 12),
    ],
)
async def test_how_long_to_wait_is_told_by_the_header_or_by_the_kind(channel, graph, code, header, seconds):
    graph.misbehaves = answers(lambda: refused(code, status=429, retry_after=header))
    with pytest.raises((RateLimited, ChatRateLimited)) as caught:
        await channel.send(a_message())
    assert isinstance(caught.value, RateLimited | ChatRateLimited)
    assert caught.value.retry_after == seconds


async def test_a_line_that_breaks_leaves_it_unknown_whether_the_message_went(channel, graph):
    async def take_and_cut(request: web.Request) -> None:
        # The message is taken all the same, after the line is gone.
        await request.read()
        cut(request)

    graph.misbehaves = take_and_cut
    with pytest.raises(Unanswered):
        await channel.send(a_message())
    assert len(graph.messages) == 1


async def test_no_answer_is_not_waited_for_for_ever(graph, monkeypatch):
    monkeypatch.setattr(client, "CALL_SECONDS", 0.2)
    slow = open_channel(graph, TOKEN)
    graph.misbehaves = never
    for call in (slow.send(a_message()), slow.fetch("9001", limit=10), slow.link("")):
        with pytest.raises(Unanswered):
            await asyncio.wait_for(call, 5)
    await slow.close()


async def test_all_the_calls_of_a_message_end_in_time(channel, graph, monkeypatch):
    monkeypatch.setattr(channel_module, "SEND_SECONDS", 0.2)
    graph.misbehaves = never
    with pytest.raises(Unanswered):
        await asyncio.wait_for(channel.send(a_message(file=File(PNG, "image/png"))), 5)


async def test_nobody_at_home_is_an_error_of_the_line(free_port):
    channel = open_channel(Graph(url=f"http://127.0.0.1:{free_port}"), TOKEN)
    with pytest.raises(Unanswered):
        await channel.send(a_message())
    await channel.close()


async def test_a_wrong_token_is_told_apart(graph):
    channel = open_channel(graph, "revoked")
    for call in (channel.send(a_message()), channel.fetch("9001", limit=10), channel.link("")):
        with pytest.raises(Unauthorized):
            await call
    await channel.close()


async def test_a_file_that_is_not_taken_sends_no_message(channel, graph):
    graph.misbehaves = answers(lambda: refused(131053), path="/media")
    with pytest.raises(Rejected) as caught:
        await channel.send(a_message(file=File(PNG, "image/png")))
    assert caught.value.reason == "media"
    assert graph.messages == []


# ------------------------------------------------------------------------------------------------- files


async def test_a_file_is_fetched_with_the_token(channel, graph):
    graph.files["9001"] = {"mime": "image/jpeg", "body": b"x" * 1000}
    assert await channel.fetch("9001", limit=1000) == b"x" * 1000
    assert graph.calls == [f"GET {VERSION}/9001", "GET /files/9001"]


async def test_a_file_that_is_too_large_is_not_fetched(channel, graph):
    graph.files["9001"] = {"mime": "image/jpeg", "body": b"x" * 1001}
    with pytest.raises(Rejected) as caught:
        await channel.fetch("9001", limit=1000)
    assert caught.value.reason == "file_too_large"
    assert graph.calls == [f"GET {VERSION}/9001"]


async def test_a_size_that_was_told_wrong_is_noticed_while_reading(channel, graph):
    graph.files["9001"] = {"mime": "image/jpeg", "body": b"x" * 2**20}
    graph.told_size = 10
    with pytest.raises(Rejected):
        await channel.fetch("9001", limit=1000)


@pytest.mark.parametrize("name", ["9002", "../me", "a/b", "a?b", "", "é"])
async def test_a_file_that_is_not_there_is_rejected_for_good(channel, graph, name):
    with pytest.raises(Rejected):
        await channel.fetch(name, limit=1000)
    assert len(graph.calls) <= 1


async def test_a_file_that_is_away_for_a_moment_is_asked_for_again(channel, graph):
    graph.files["9001"] = {"mime": "image/jpeg", "body": b"x"}
    for response in (lambda: web.Response(status=503), lambda: web.json_response({"url": "file:///etc/passwd"})):
        graph.misbehaves = answers(response)
        with pytest.raises(Unanswered):
            await channel.fetch("9001", limit=1000)


# ------------------------------------------------------------------------------------------------- links


async def test_a_link_opens_the_chat_with_words_that_begin_it(channel, graph):
    assert await channel.link("j_0a1b") == "https://wa.me/74950001122?text=%2Fstart%20j_0a1b"
    # What it is to tell follows at its end.
    assert await channel.link("") + "r_KLM" == await channel.link("r_KLM")
    assert len(graph.calls) == 1


async def test_without_a_number_there_is_no_link(channel, graph):
    graph.display_number = "none"
    with pytest.raises(Unanswered):
        await channel.link("")
    graph.display_number = "+7 495 000-11-22"
    assert (await channel.link("")).startswith("https://wa.me/74950001122")


async def test_there_is_nothing_to_receive_and_nothing_to_do_for_it(channel, graph):
    await channel.link("")
    receiving = asyncio.create_task(channel.receive(None))
    await asyncio.sleep(0.05)
    assert not receiving.done()
    receiving.cancel()
    await asyncio.wait([receiving])
    assert len(graph.calls) == 1


async def test_a_number_that_is_learnt_late_ends_the_waiting_so_that_the_link_is_kept(channel, graph, monkeypatch):
    monkeypatch.setattr(channel_module, "FIRST_PAUSE_SECONDS", 0.01)
    graph.misbehaves = answers(lambda: web.Response(status=503))
    receiving = asyncio.create_task(channel.receive(None))
    await until(lambda: len(graph.calls) > 2)
    assert not receiving.done()
    graph.misbehaves = None
    await asyncio.wait_for(receiving, 5)
    assert (await channel.link("")).startswith("https://wa.me/")


async def test_templates_are_read_page_by_page(channel, graph):
    graph.templates = [{"name": f"template_{number}", "status": "APPROVED"} for number in range(5)]
    assert await channel._client.templates("77") == graph.templates


async def test_what_cannot_be_done_is_said_or_left(channel, graph):
    with pytest.raises(Rejected):
        await channel.edit(ANNA, "wamid.1", Content("x"), b"")
    await channel.introduce({"": [("menu", "Menu")]})
    await channel.leave("1", "hint")
    assert graph.calls == []
