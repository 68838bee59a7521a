"""The inbox: its lists, its search, and what is done in a conversation."""

import asyncio
import io
import re
from datetime import timedelta

import pytest
from aiohttp import FormData

from loyalty import db
from loyalty.conversations.actions.canned import save_canned_reply
from loyalty.customers.actions.accounts import know_account
from loyalty.staff.rules import COMMAND, Role
from tests.admin_web.conftest import START
from tests.builders import a_customer, a_message, a_waiting_chat, an_account

PNG = b"\x89PNG\r\n\x1a\n rest of a picture"
HTMX = {"HX-Request": "true"}
MARKUP = "<img src=x onerror=alert(1)>"


async def text(panel, path: str, *, status: int = 200, headers: dict[str, str] | None = None) -> str:
    response = await panel.get(path, headers=headers, allow_redirects=False)
    assert response.status == status, (path, response.status)
    return await response.text()


def listed(html: str) -> list[int]:
    """The accounts of the list, in its order."""
    return [int(number) for number in re.findall(r'<li id="row-(\d+)"', html)]


def since(html: str, part: str = "inbox-rows") -> str:
    return re.findall(rf'id="{part}"[^>]* data-since="([^"]+)"', html)[0]


async def a_chat(name: str, *, minutes: int = 0, words: str = "Ау") -> int:
    account_id = await an_account(name=name)
    await a_waiting_chat(account_id, words, now=START + timedelta(minutes=minutes))
    return account_id


async def a_late_chat() -> int:
    """Somebody in WhatsApp who wrote two days ago."""
    account = await know_account("whatsapp", "US.9", name="Анна Белова", username=None, language="ru", now=START)
    await db.execute(
        "INSERT INTO conversation (account_id, session, last_message_at, heard_at) VALUES ($1, '{}', $2, $2)",
        account.id,
        START - timedelta(days=2),
    )
    return account.id


# ------------------------------------------------------------------------------------------ the list


async def test_each_list_shows_whom_it_is_about(panel, sign_in_as):
    me = await sign_in_as(Role.SUPPORT)
    mine, nobodys, closed, bots = [await a_chat(name, minutes=n) for n, name in enumerate("АБВГ")]
    await db.execute("UPDATE conversation SET assignee_id = $2 WHERE account_id = $1", mine, me.id)
    await db.execute("UPDATE conversation SET state = 'closed' WHERE account_id = $1", closed)
    await db.execute("UPDATE conversation SET state = 'bot' WHERE account_id = $1", bots)
    shown = {
        show: listed(await text(panel, f"/conversations?show={show}")) for show in ("mine", "unassigned", "closed")
    }
    assert shown == {"mine": [mine], "unassigned": [nobodys], "closed": [closed]}
    for path in ("/conversations", "/conversations?show=open", "/conversations?show=nonsense"):
        assert listed(await text(panel, path)) == [nobodys, mine]


async def test_an_empty_list_says_why(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    for show, words in (
        ("open", "Nobody waits"),
        ("mine", "Nothing is yours"),
        ("unassigned", "Everything has somebody"),
        ("closed", "Nothing is closed yet"),
    ):
        assert words in await text(panel, f"/conversations?show={show}")


async def test_a_long_list_goes_on_and_leaves_nobody_out(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    made = [await a_chat(f"Гость {number}", minutes=number // 3) for number in range(70)]
    page, seen = await text(panel, "/conversations"), []
    while True:
        seen += listed(page)
        more = re.findall(r'hx-get="(/conversations/list\?[^"]*after=[^"]+)"', page)
        if not more:
            break
        page = await text(panel, more[0].replace("&amp;", "&"), headers=HTMX)
        assert "<!doctype" not in page
    assert sorted(seen) == made
    assert len(set(seen)) == 70
    again = await text(panel, "/conversations/list?rows=60", headers=HTMX)
    assert listed(again) == seen[:60]
    for odd in ("after=x~y", "after=2026-01-01~5", "rows=-1", "rows=99999999999999999999", "hits=x"):
        assert (await panel.get(f"/conversations/list?{odd}", headers=HTMX)).status == 200


async def test_the_list_asks_again_and_is_told_only_of_news(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    account_id = await a_chat("Гость")
    seen = since(await text(panel, "/conversations"))
    assert await text(panel, f"/conversations/list?since={seen}", status=204, headers=HTMX) == ""
    await a_waiting_chat(account_id, "Ау?", now=START)
    news = await text(panel, f"/conversations/list?since={seen}", headers=HTMX)
    assert "Ау?" in news
    assert await text(panel, f"/conversations/list?since={since(news)}", status=204, headers=HTMX) == ""
    assert await text(panel, "/conversations/list", status=303) == ""


async def test_opening_a_conversation_reads_it(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    account_id = await a_chat("Гость")
    assert 'class="unread"' in await text(panel, "/conversations")
    page = await text(panel, f"/conversations/{account_id}?show=unassigned")
    assert 'class="unread"' not in page
    assert f'id="row-{account_id}-link" href="/conversations/{account_id}?show=unassigned"' in page
    assert 'aria-current="true"' in page
    part = await text(panel, f"/conversations/{account_id}", headers=HTMX)
    assert 'id="chat"' in part
    assert 'id="inbox-rows"' not in part


# ------------------------------------------------------------------------------------------ search


async def test_words_are_found_wherever_people_and_staff_wrote_them(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    account_id = await an_account(name="Гость")
    heard = await a_message(account_id, "Нужен ТОРТ на субботу, человек на восемь")
    ours = await a_message(account_id, "Торт будет", kind="staff", status="sent")
    await a_message(account_id, "торт от бота", kind="reply", status="sent")
    await panel.post(f"/conversations/{account_id}/chat", data={"kind": "note", "text": "торт без орехов"})
    note = await db.fetch_value("SELECT id FROM message WHERE kind = 'note'")
    page = await text(panel, "/conversations?q=торт")
    hits = re.findall(r'href="/conversations/\d+\?q=[^"]*at=(\d+)#message-(\d+)"', page.replace("&amp;", "&"))
    assert hits == [(str(one), str(one)) for one in (note, ours, heard)]
    assert "<mark>ТОРТ</mark>" in page
    assert "Type two letters" in await text(panel, "/conversations?q=т")
    assert "Nothing found" in await text(panel, "/conversations?q=пирог")


async def test_signs_of_a_pattern_mean_only_themselves(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    account_id = await an_account(name="Гость")
    for words in ("скидка 100% сегодня", "скидка 100 рублей", "имя_файла", "имяxфайла", "путь c:\\temp"):
        await a_message(account_id, words)

    async def found(search: str) -> list[str]:
        page = await text(panel, "/conversations?q=" + search)
        return re.findall(r"<mark>([^<]*)</mark>", page)

    assert await found("100%25") == ["100%"]
    assert await found("имя_") == ["имя_"]
    assert await found("c:%5Ct") == ["c:\\t"]
    assert await found("%25%25") == []
    assert await found("__") == []


async def test_people_are_found_by_name_registered_or_not(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    olga = await a_customer(name="Ольга Смирнова")
    known, guest = await an_account(olga.id, name="x"), await an_account(name="Смирный")
    await an_account(name="Другой")
    assert sorted(listed(await text(panel, "/conversations?q=СМИРН"))) == sorted([known, guest])


async def test_many_hits_go_on(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    account_id = await an_account(name="Гость")
    for number in range(45):
        await a_message(account_id, f"кофе {number}")
    page = await text(panel, "/conversations?q=кофе")
    assert page.count("<mark>") == 30
    more = re.findall(r'hx-get="(/conversations/list\?[^"]*hits=\d+)"', page)[0].replace("&amp;", "&")
    assert (await text(panel, more, headers=HTMX)).count("<mark>") == 15


async def test_a_hit_opens_its_conversation_at_that_message(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    account_id = await an_account(name="Гость")
    first = await a_message(account_id, "начало")
    for number in range(120):
        await a_message(account_id, f"слово {number}")
    page = await text(panel, f"/conversations/{account_id}?at={first}")
    ids = [int(number) for number in re.findall(r'id="message-(\d+)"', page)]
    assert ids[0] == first
    assert 20 <= len(ids) <= 50
    assert "data-live" not in page
    assert "data-live" in await text(panel, f"/conversations/{account_id}?at=999999")
    assert (await panel.get(f"/conversations/{account_id}?at=x&before=y")).status == 200


async def test_what_people_wrote_is_only_words_in_lists_and_hits(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT, name=MARKUP)
    account_id = await a_chat(MARKUP, words=MARKUP)
    await panel.post(f"/conversations/{account_id}/chat", data={"kind": "note", "text": MARKUP})
    await panel.post(f"/conversations/{account_id}/chat", data={"text": MARKUP})
    await save_canned_reply(None, MARKUP, MARKUP, actor=COMMAND, now=START)
    for path in (
        "/conversations",
        "/conversations?q=onerror",
        "/conversations?q=%3Cimg",
        f"/conversations/{account_id}",
        "/settings/canned-replies",
    ):
        html = await text(panel, path)
        assert "<img" not in html, path
        assert "&lt;img" in html.replace("&lt;</mark>", "&lt;").replace("<mark>", ""), path


# ------------------------------------------------------------------------------------- what is done


@pytest.mark.parametrize("role", list(Role))
async def test_every_act_asks_for_the_right_to_write(panel, sign_in_as, role):
    await sign_in_as(role)
    account_id = await a_chat("Гость")
    may = role in {Role.OWNER, Role.MARKETER, Role.SUPPORT}
    base = f"/conversations/{account_id}"
    for path in ("/conversations", "/conversations/list", base, f"{base}/chat/answer", "/settings/canned-replies"):
        assert (await panel.get(path, headers=HTMX)).status == (200 if may else 403), path
    for act, form in (
        ("/assign", {"assignee": "nobody"}),
        ("", {"text": "Слушаю"}),
        ("", {"kind": "note", "text": "Заметка"}),
        ("/answered", {}),
        ("/close", {}),
        ("/reopen", {}),
        ("/bot", {}),
    ):
        answer = await panel.post(f"{base}/chat{act}", data=form, headers=HTMX)
        assert answer.status == (200 if may else 403), act
    for path in ("/settings/canned-replies/new", "/settings/canned-replies/1/delete"):
        assert (await panel.post(path, data={"title": "a", "text": "b"})).status == (200 if may else 403), path


async def test_a_conversation_is_taken_given_closed_and_opened_again(panel, sign_in_as, hire):
    me = await sign_in_as(Role.SUPPORT)
    other = await hire(Role.MARKETER, name="Полина Белова", email="polina@example.com")
    account_id = await a_chat("Гость")
    base = f"/conversations/{account_id}/chat"

    async def act(name: str, **form: str) -> str:
        answer = await panel.post(f"{base}/{name}", data=form, headers=HTMX)
        return f"{answer.status} {answer.headers.get('HX-Trigger', '')} {await answer.text()}"

    assert (await act("assign", assignee=str(me.id), seen="")).startswith("200")
    stale = await act("assign", assignee=str(other.id), seen="")
    assert stale.startswith("422")
    assert "Somebody else has taken" in stale
    assert (await act("assign", assignee=str(other.id), seen=str(me.id))).startswith("200")
    assert (await act("assign", assignee="999", seen=str(other.id))).startswith("404")
    assert (await act("assign", assignee="x", seen="")).startswith("400")
    closed = await act("close")
    assert "The conversation is closed" in closed
    assert f"{base}/reopen" in closed
    assert listed(await text(panel, "/conversations")) == []
    await act("reopen")
    assert listed(await text(panel, "/conversations")) == [account_id]
    await act("bot")
    assert "The bot answers" in await text(panel, f"/conversations/{account_id}")
    kept = await db.fetch("SELECT action FROM journal_entry WHERE action LIKE 'conversation.%' ORDER BY id")
    assert [row["action"].partition(".")[2] for row in kept] == [
        "assigned",
        "assigned",
        "closed",
        "reopened",
        "handed_back",
    ]


async def test_a_note_stands_in_the_chat_for_colleagues_alone(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT, name="Полина")
    account_id = await a_chat("Гость")
    form = {"key": "one", "kind": "note", "text": "Постоянный гость"}
    pages = [
        await (await panel.post(f"/conversations/{account_id}/chat", data=form, headers=HTMX)).text() for _ in range(2)
    ]
    page = pages[-1]
    assert page.count("Постоянный гость") == 1
    assert "note-l" in page
    assert await db.fetch_value("SELECT count(*) FROM message WHERE direction = 'out'") == 0


async def test_a_picture_and_a_paper_are_sent_and_shown(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    account_id, stranger = await a_chat("Гость"), await a_chat("Чужой")
    base = f"/conversations/{account_id}"

    async def send(name: str, body: bytes, words: str = "") -> tuple[int, str]:
        form = FormData({"key": name, "text": words}, quote_fields=False)
        form.add_field("file", io.BytesIO(body), filename=name, content_type="text/html")
        answer = await panel.post(f"{base}/chat", data=form, headers=HTMX)
        return answer.status, await answer.text()

    status, page = await send("меню.png", PNG, "Вот меню")
    assert status == 200
    picture = int(re.findall(rf'src="{base}/attachments/(\d+)"', page)[0])
    assert "Вот меню" in page
    shown = await panel.get(f"{base}/attachments/{picture}")
    assert (await shown.read(), shown.headers["Content-Type"]) == (PNG, "image/png")
    _, page = await send("цены.pdf", b"%PDF-1.7")
    paper = max(int(number) for number in re.findall(rf"{base}/attachments/(\d+)", page))
    handed = await panel.get(f"{base}/attachments/{paper}")
    assert handed.headers["Content-Type"] == "application/octet-stream"
    assert handed.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%D1%86")
    assert (await panel.get(f"/conversations/{stranger}/attachments/{picture}")).status == 404
    for name, body, complaint in (
        ("a.exe", b"MZ", "Only pictures"),
        ("big.pdf", bytes(10 * 2**20 + 1), "too large"),
        ("huge.pdf", bytes(12 * 2**20), "too large"),
        ("big.png", PNG + bytes(5 * 2**20), "at most 5 MB"),
    ):
        status, page = await send(name, body, "Слова остаются")
        assert status == 422, name
        assert complaint in page, name
    assert await db.fetch_value("SELECT count(*) FROM attachment") == 2
    note = FormData({"key": "n", "text": "Заметка", "kind": "note"})
    note.add_field("file", PNG, filename="a.png")
    assert (await panel.post(f"{base}/chat", data=note, headers=HTMX)).status == 422


async def test_whatsapp_says_how_long_it_can_be_answered_and_then_takes_templates(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    account_id = await a_late_chat()
    base = f"/conversations/{account_id}"
    page = await text(panel, base)
    assert "More than 24 hours have passed" in page
    assert "No template is approved yet." in page
    assert 'value="reply"' not in page
    late = await panel.post(f"{base}/chat", data={"text": "Ау", "key": "k"}, headers=HTMX)
    assert (late.status, "send a template" in await late.text()) == (422, True)
    template_id = await db.fetch_value(
        "INSERT INTO message_template (name, language, category, body, variables, status, updated_at)"
        " VALUES ('ready', 'ru', 'utility', 'Здравствуйте, {{1}}! Заказ {{2}} готов.', $1::jsonb, 'approved', $2)"
        " RETURNING id",
        db.to_json([{"name": "first_name", "fallback": "гость"}, {"name": "order", "fallback": "№ 1"}]),
        START,
    )
    box = await text(panel, f"{base}/chat/answer?account={account_id}&template={template_id}", headers=HTMX)
    assert re.findall(r'name="value-(\w+)" value="([^"]*)"', box) == [("first_name", "Анна"), ("order", "№ 1")]
    assert '<span data-slot="1">Анна</span>' in box
    form = {"kind": "template", "template": str(template_id), "value-first_name": "Аня", "value-order": "", "key": "t"}
    for _ in range(2):
        sent = await panel.post(f"{base}/chat", data=form, headers=HTMX)
        assert "Здравствуйте, Аня! Заказ № 1 готов." in await sent.text()
    assert await db.fetch_value("SELECT count(*) FROM message WHERE kind = 'staff'") == 1
    for wanted, status in (("", 422), ("999", 404)):
        form["template"] = wanted
        assert (await panel.post(f"{base}/chat", data=form, headers=HTMX)).status == status
    moment = START - timedelta(hours=18, minutes=48)
    await db.execute("UPDATE conversation SET heard_at = $2 WHERE account_id = $1", account_id, moment)
    assert "Can be answered for 5 h 12 min" in await text(panel, base)


async def test_ready_answers_say_the_first_name(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    answer = {"title": "Привет", "text": "Здравствуйте, {first_name}!"}
    assert "Saved" in await (await panel.post("/settings/canned-replies/new", data=answer)).text()
    taken = await panel.post("/settings/canned-replies/new", data=answer)
    assert (taken.status, "Another ready answer" in await taken.text()) == (422, True)
    account_id = await a_chat("Анна Белова")
    assert 'data-text="Здравствуйте, Анна!"' in await text(panel, f"/conversations/{account_id}")
    number = re.findall(r'href="/settings/canned-replies/(\d+)"', await text(panel, "/settings/canned-replies"))[0]
    gone = await (await panel.post(f"/settings/canned-replies/{number}/delete")).text()
    assert "No ready answers yet" in gone
    assert f"/settings/canned-replies/{number}/restore" in gone
    await panel.post(f"/settings/canned-replies/{number}/restore")
    assert "Привет" in await text(panel, "/settings/canned-replies")
    assert (await panel.get("/settings/canned-replies/999")).status == 404


async def test_two_clicks_at_once_with_a_file_are_one_reply(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    account_id = await a_chat("Гость")

    async def send() -> int:
        form = FormData({"key": "one", "text": "Вот"})
        form.add_field("file", PNG, filename="a.png")
        return (await panel.post(f"/conversations/{account_id}/chat", data=form, headers=HTMX)).status

    assert set(await asyncio.gather(*(send() for _ in range(5)))) == {200}
    assert await db.fetch_value("SELECT count(*) FROM message WHERE kind = 'staff'") == 1
    assert await db.fetch_value("SELECT count(*) FROM attachment") == 1
