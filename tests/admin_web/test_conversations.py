import asyncio
import re

import pytest

from loyalty import db
from loyalty.clock import system_now
from loyalty.conversations.content import Button, Content
from loyalty.customers.actions.accounts import link_account, set_account_active
from loyalty.customers.actions.profile import add_steps
from loyalty.customers.queries import accounts_of, messenger_account
from loyalty.customers.rules import Via
from loyalty.staff.rules import COMMAND, Role
from tests.admin_web.conftest import START
from tests.builders import a_customer, a_message, a_picture, a_waiting_chat, an_account

PNG = b"\x89PNG\r\n\x1a\n rest of a picture"
HTMX = {"HX-Request": "true"}
MARKUP = "<img src=x onerror=alert(1)>"
ESCAPED = "&lt;img src=x onerror=alert(1)&gt;"


async def text(panel, path: str, *, status: int = 200, headers: dict[str, str] | None = None) -> str:
    response = await panel.get(path, headers=headers, allow_redirects=False)
    assert response.status == status, (path, response.status)
    return await response.text()


async def sent(account_id: int) -> list[str]:
    """What staff wrote into a chat, in order."""
    rows = await db.fetch(
        "SELECT content->>'text' AS text FROM message WHERE account_id = $1 AND kind = 'staff' ORDER BY id", account_id
    )
    return [row["text"] for row in rows]


async def acts() -> list[str]:
    rows = await db.fetch("SELECT action FROM journal_entry ORDER BY id")
    return [row["action"] for row in rows if row["action"].partition(".")[0] in {"account", "message", "conversation"}]


def key_in(html: str) -> str:
    return re.findall(r'name="key" value="([^"]+)"', html)[0]


def version_in(html: str) -> str:
    return re.findall(r'id="chat"[^>]* data-since="([^"]+)"', html)[0]


# --------------------------------------------------------------------------------------- permissions


@pytest.fixture
async def chat(database):
    """A customer with a Telegram account that waits for an answer, and a picture in it."""
    person = await a_customer(name="Ольга Смирнова")
    account_id = await an_account(person.id, now=START)
    picture = await a_picture(account_id, PNG, mime="image/png", now=START)
    await a_waiting_chat(account_id, "Где моя карта?", now=START)
    return person, account_id, picture


@pytest.mark.parametrize("role", list(Role))
async def test_messages_are_read_and_written_only_by_those_who_may(panel, sign_in_as, chat, role):
    person, account_id, picture = chat
    await sign_in_as(role)
    may = role in {Role.OWNER, Role.MARKETER, Role.SUPPORT}
    card = f"/customers/{person.id}"
    reads = [f"{card}?tab=conversation", f"{card}/media/{picture}", "/conversations"]
    for path in [*reads, f"{card}/chat", f"/conversations/{account_id}/media/{picture}"]:
        status = (await panel.get(path, headers=HTMX)).status
        assert status == (200 if may else 403), path
    for base in (card, f"/conversations/{account_id}"):
        answer = await panel.post(f"{base}/chat", data={"text": "Здравствуйте"}, headers=HTMX)
        assert answer.status == (200 if may else 403)
        assert (await panel.post(f"{base}/chat/answered", headers=HTMX)).status == (200 if may else 403)
    assert len(await sent(account_id)) == (2 if may else 0)


async def test_an_analyst_sees_no_words_and_no_username(panel, sign_in_as, chat):
    person, _, _ = chat
    await sign_in_as(Role.ANALYST)
    card = await text(panel, f"/customers/{person.id}?tab=messengers")
    assert "tab=conversation" not in card
    assert "Где моя карта?" not in card
    assert "@maria" not in card
    assert "Remove" not in card
    assert 'href="/conversations"' not in card
    for act in ("default", "remove"):
        answer = await panel.post(f"/customers/{person.id}/accounts/{chat[1]}/{act}")
        assert answer.status == 403


# -------------------------------------------------------------------------------- a conversation


async def test_a_conversation_says_who_said_what_and_what_became_of_it(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    person = await a_customer()
    account_id = await an_account(person.id)
    for kind in ("start", "contact", "failed", "other", "never_heard_of"):
        await a_message(account_id, kind=kind)
    await a_message(account_id, "Баланс", kind="button")
    content = Content("На карте: 755", strong="755", buttons=((Button("История", "history:1"),),))
    await a_message(account_id, kind="reply", status="sent", content=content)
    await a_message(account_id, kind="card", status="sent")
    await a_message(account_id, "Спасибо за покупку", kind="receipt", status="failed", reason="blocked")
    await a_message(account_id, "Ещё раз", kind="reply", status="failed", reason="no_such_reason")
    for status in ("queued", "leased", "sending", "delivered", "read", "cancelled", "unknown"):
        await a_message(account_id, f"Это {status}", kind="reply", status=status)
    html = await text(panel, f"/customers/{person.id}?tab=conversation")
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
    for expected in (
        "Opened the chat",
        "Shared the phone",
        "Could not be processed",
        "Something the panel cannot show",
        "Pressed a button Баланс",
        "На карте: 755",
        "Card with the code",
        "not sent: the customer has blocked us",
        "not sent: no_such_reason",
        "being sent",
        "unknown whether it arrived",
        "cancelled",
    ):
        assert expected in words, expected
    assert "<b>755</b>" in html
    assert "<span>История</span>" in html
    # Of what was only sent nobody says that it arrived.
    ids = re.findall(r'id="message-(\d+)"', html)
    assert ids == sorted(ids, key=int)
    assert words.count("delivered") == words.count("Это delivered") + 1
    assert words.count("being sent") == 2


async def test_names_and_words_are_only_words(panel, sign_in_as):
    await sign_in_as()
    person = await a_customer()
    account_id = await an_account(person.id, name=MARKUP, username="<b>")
    stranger = await an_account(name=MARKUP)
    content = Content(MARKUP, strong="<img", buttons=((Button(MARKUP, "x"),),))
    for chat in (account_id, stranger):
        await a_message(chat, kind="reply", status="failed", reason=MARKUP, content=content)
        await a_waiting_chat(chat, MARKUP)
    await a_message(account_id, kind=MARKUP[:24])
    tabs = [f"/customers/{person.id}?tab={tab}" for tab in ("conversation", "messengers")]
    for path in ("/conversations", f"/conversations/{stranger}", *tabs):
        html = await text(panel, path)
        assert ESCAPED in html, path
        assert "<img" not in html, path
        assert "@<b>" not in html


async def test_a_reply_is_queued_once_however_often_its_form_is_sent(panel, sign_in_as, chat):
    person, account_id, _ = chat
    writer = await sign_in_as(Role.SUPPORT, name="Полина")
    page = await text(panel, f"/customers/{person.id}?tab=conversation")
    assert "Waits for an answer since" in page
    form = {"key": key_in(page), "text": "  Уже\r\nищем \x07 её  "}
    answers = [await panel.post(f"/customers/{person.id}/chat", data=form, headers=HTMX) for _ in range(2)]
    pages = [await answer.text() for answer in answers]
    for answer, html in zip(answers, pages, strict=True):
        assert answer.status == 200
        assert "<!doctype" not in html
        assert "Полина" in html
        assert "queued" in html
        assert "Waits for an answer since" not in html
    assert await sent(account_id) == ["Уже\nищем её"]
    fresh = key_in(pages[-1])
    assert fresh != form["key"]
    row = await db.fetch_row("SELECT staff_id, status, priority FROM message WHERE kind = 'staff'")
    assert row == {"staff_id": writer.id, "status": "queued", "priority": 0}
    await panel.post(f"/customers/{person.id}/chat", data={"key": fresh, "text": "Нашли"})
    assert await sent(account_id) == ["Уже\nищем её", "Нашли"]
    assert (await acts())[1:] == ["message.written", "message.written"]


async def test_two_clicks_at_once_are_one_reply(panel, sign_in_as, chat):
    person, account_id, _ = chat
    await sign_in_as(Role.SUPPORT)
    form = {"key": "one-form", "text": "Уже ищем"}
    answers = await asyncio.gather(
        *(panel.post(f"/customers/{person.id}/chat", data=form, headers=HTMX) for _ in range(6))
    )
    assert {answer.status for answer in answers} == {200}
    assert await sent(account_id) == ["Уже ищем"]


@pytest.mark.parametrize(
    ("words", "complaint"), [("", "Fill this in."), (" \n\t ", "Fill this in."), ("я" * 4001, "At most 4000")]
)
async def test_what_cannot_be_sent_stays_in_the_box(panel, sign_in_as, chat, words, complaint):
    person, account_id, _ = chat
    await sign_in_as(Role.SUPPORT)
    for headers in (HTMX, {}):
        answer = await panel.post(f"/customers/{person.id}/chat", data={"key": "k", "text": words}, headers=headers)
        html = await answer.text()
        assert answer.status == 422
        assert complaint in html
        assert key_in(html) == "k"
        assert words.strip() in html
    assert await sent(account_id) == []


async def test_nothing_is_written_to_those_who_blocked_us(panel, sign_in_as, chat):
    person, account_id, _ = chat
    await sign_in_as(Role.SUPPORT)
    await set_account_active(account_id, is_active=False, now=system_now())
    page = await text(panel, f"/customers/{person.id}?tab=conversation")
    assert "Nothing can be sent" in page
    assert 'value="reply"' not in page
    assert "Note for colleagues" in page
    for form in ({"text": "Ау"}, {"text": "Ау", "account": str(account_id)}):
        answer = await panel.post(f"/customers/{person.id}/chat", data=form, headers=HTMX)
        assert answer.status == 422
    assert await sent(account_id) == []
    second = await an_account(person.id, username="other")
    await panel.post(f"/customers/{person.id}/chat", data={"text": "Ау"})
    assert await sent(second) == ["Ау"]


async def test_of_several_messengers_one_is_chosen_and_a_strangers_cannot_be(panel, sign_in_as, chat):
    person, first, _ = chat
    await sign_in_as(Role.SUPPORT)
    second, foreign = await an_account(person.id, username="other"), await an_account()
    page = await text(panel, f"/customers/{person.id}?tab=conversation")
    sent_to = re.findall(r'<select class="sel" name="account".*?</select>', page, re.DOTALL)[0]
    assert re.findall(r'value="(\d+)"', sent_to) == [str(first), str(second)]
    await panel.post(f"/customers/{person.id}/chat", data={"text": "Раз"})
    await panel.post(f"/customers/{person.id}/chat", data={"text": "Два", "account": str(second)})
    assert (await sent(first), await sent(second)) == (["Раз"], ["Два"])
    for wanted in (str(foreign), "0", "x"):
        answer = await panel.post(f"/customers/{person.id}/chat", data={"text": "Три", "account": wanted})
        assert answer.status == 404
    assert await sent(foreign) == []


async def test_somebody_without_a_messenger_cannot_be_written_to(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    person = await a_customer()
    for tab in ("conversation", "messengers"):
        assert "No messenger yet" in await text(panel, f"/customers/{person.id}?tab={tab}")
    assert (await panel.post(f"/customers/{person.id}/chat", data={"text": "Ау"})).status == 404


async def test_an_open_chat_asks_again_and_is_told_only_of_news(panel, sign_in_as, chat):
    person, account_id, _ = chat
    await sign_in_as(Role.SUPPORT)
    base = f"/customers/{person.id}/chat"
    seen = version_in(await text(panel, f"/customers/{person.id}?tab=conversation"))

    async def news() -> str:
        return await text(panel, f"{base}?since={seen}", headers=HTMX)

    assert await text(panel, f"{base}?since={seen}", status=204, headers=HTMX) == ""
    await a_message(account_id, "Ау?", now=START)
    assert "Ау?" in await news()
    seen = version_in(await news())
    message_id = await a_message(account_id, "Мы здесь", kind="reply", status="queued", now=START)
    seen = version_in(await news())
    await db.execute("UPDATE message SET status = 'sent' WHERE id = $1", message_id)
    assert "sent" in await news()
    seen = version_in(await news())
    assert await text(panel, f"{base}?since={seen}", status=204, headers=HTMX) == ""
    await panel.post(f"{base}/answered")
    assert "Waits for an answer" not in await news()
    assert await text(panel, base, status=303) == ""


async def test_marked_as_answered_it_waits_no_more_and_twice_is_once(panel, sign_in_as, chat):
    person, account_id, _ = chat
    await sign_in_as(Role.SUPPORT)
    for _ in range(2):
        assert (await panel.post(f"/customers/{person.id}/chat/answered", headers=HTMX)).status == 200
    assert await db.fetch_value("SELECT waiting_since FROM conversation WHERE account_id = $1", account_id) is None
    assert (await acts())[1:] == ["conversation.answered"]
    assert "waits since" not in await text(panel, "/conversations")


async def test_a_long_conversation_begins_at_its_end_and_leads_back(panel, sign_in_as):
    await sign_in_as()
    person = await a_customer()
    account_id = await an_account(person.id)
    for number in range(60):
        await a_message(account_id, f"Слово {number:02d}.")
    card = f"/customers/{person.id}?tab=conversation"
    newest = await text(panel, card)
    assert re.findall(r"Слово (\d\d)\.", newest) == [f"{number:02d}" for number in range(10, 60)]
    earlier = re.findall(r'href="([^"]+before=\d+)"', newest)[0].replace("&amp;", "&")
    older = await text(panel, earlier)
    assert re.findall(r"Слово (\d\d)\.", older) == [f"{number:02d}" for number in range(10)]
    assert "data-live" in newest
    assert "data-live" not in older
    assert "before=" not in re.sub(r'name="next" value="[^"]*"', "", older)
    assert (await panel.get(f"{card}&before=x")).status == 200


# ------------------------------------------------------------------------------- pictures and files


async def test_a_picture_is_shown_and_a_file_is_only_handed_out(panel, sign_in_as, chat):
    person, account_id, picture = chat
    await sign_in_as(Role.SUPPORT)
    page = await text(panel, f"/customers/{person.id}?tab=conversation")
    assert f'src="/customers/{person.id}/media/{picture}"' in page
    shown = await panel.get(f"/customers/{person.id}/media/{picture}")
    assert await shown.read() == PNG
    assert shown.headers["Content-Type"] == "image/png"
    assert "Content-Disposition" not in shown.headers
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    for mime in ("text/html", "image/svg+xml", "", "application/pdf"):
        file = await a_picture(account_id, b"<script>alert(1)</script>", mime=mime, kind="file")
        handed = await panel.get(f"/customers/{person.id}/media/{file}")
        assert handed.headers["Content-Type"] == "application/octet-stream", mime
        assert handed.headers["Content-Disposition"].startswith("attachment"), mime


async def test_a_picture_of_another_chat_is_not_there(panel, sign_in_as, chat):
    person, _, picture = chat
    await sign_in_as(Role.SUPPORT)
    other = await a_customer()
    stranger = await an_account()
    await an_account(other.id)
    for base in (f"/customers/{other.id}", f"/conversations/{stranger}"):
        assert (await panel.get(f"{base}/media/{picture}")).status == 404
    assert (await panel.get(f"/customers/{person.id}/media/{picture + 1}")).status == 404
    await db.execute("UPDATE media SET state = 'wanted', body = NULL WHERE id = $1", picture)
    assert (await panel.get(f"/customers/{person.id}/media/{picture}")).status == 404
    page = await text(panel, f"/customers/{person.id}?tab=conversation")
    assert "still on its way" in page
    assert "<img" not in page


# -------------------------------------------------------------------------------------- messengers


async def test_messengers_are_counted_chosen_and_removed(panel, sign_in_as, chat):
    person, first, _ = chat
    await sign_in_as(Role.SUPPORT)
    second = await an_account(person.id, name="Оля", username="olya")
    await a_message(first, "Спасибо", kind="receipt", status="sent", now=START)
    await a_message(first, "Ой", kind="receipt", status="failed", now=START)
    page = await text(panel, f"/customers/{person.id}?tab=messengers")
    assert "@maria" in page
    assert "@olya" in page
    # Received and written in each messenger, received by the phone of the card.
    assert re.findall(r'<dd class="num">(\d+)</dd>', page) == ["1", "2", "0", "0", "0"]
    await panel.post(f"/customers/{person.id}/accounts/{second}/default")
    assert [account.id for account in await accounts_of(person.id)] == [second, first]
    removed = await panel.post(f"/customers/{person.id}/accounts/{second}/remove")
    assert "The messenger is removed." in await removed.text()
    assert [(account.id, account.is_default) for account in await accounts_of(person.id)] == [(first, True)]
    assert (await messenger_account(second)).customer_id is None
    assert (await acts())[2:] == ["account.default", "account.unlinked"]
    await set_account_active(first, is_active=False, now=system_now())
    assert "Has blocked us" in await text(panel, f"/customers/{person.id}?tab=messengers")


async def test_somebody_elses_messenger_cannot_be_removed_by_its_number(panel, sign_in_as, chat):
    _, account_id, _ = chat
    await sign_in_as()
    other = await a_customer()
    for act in ("default", "remove"):
        assert (await panel.post(f"/customers/{other.id}/accounts/{account_id}/{act}")).status == 404
    assert (await messenger_account(account_id)).customer_id is not None


async def test_the_way_in_is_told_in_words(panel, sign_in_as):
    await sign_in_as()
    person = await a_customer()
    steps = ("started", "language", "terms", "phone", "name", "birthday", "registered", "of_a_newer_version")
    await add_steps(person.id, [(step, START) for step in steps], via=Via.TELEGRAM)
    page = await text(panel, f"/customers/{person.id}?tab=registration")
    assert re.findall(r"<b>([^<]+)</b><p", page)[-8:] == [
        "Opened the bot",
        "Chose a language",
        "Agreed to the terms",
        "Shared the phone",
        "Gave a name",
        "Answered about the birthday",
        "Registered",
        "of_a_newer_version",
    ]


# ------------------------------------------------------------------------------------- who waits


async def test_those_who_wrote_last_stand_first(panel, sign_in_as, clock):
    await sign_in_as(Role.SUPPORT)
    assert "Nobody waits" in await text(panel, "/conversations")
    olga = await a_customer(name="Ольга Смирнова")
    late, early, calm = await an_account(olga.id), await an_account(name="Гость"), await an_account()
    await a_waiting_chat(early, kind="failed", now=clock.now())
    clock.move(minutes=5)
    await a_waiting_chat(late, "Где моя карта?", now=clock.now())
    await a_message(calm, "Спасибо")
    page = await text(panel, "/conversations")
    assert re.findall(r'<a class="who"[^>]* href="([^"]+)"', page) == [
        f"/conversations/{late}",
        f"/conversations/{early}",
    ]
    assert page.count("Could not be processed") == 1
    assert "Где моя карта?" in page
    assert re.findall(r'<span class="cnt">(\d+)', page) == ["2"]
    assert 'class="cnt"' not in await text(panel, "/conversations", headers=HTMX)


async def test_the_first_page_of_an_owner_says_how_many_wait(panel, sign_in_as):
    await sign_in_as()
    assert "waits for an answer" not in await text(panel, "/")
    await a_waiting_chat(await an_account(), "Ау")
    assert "1 chat waits for an answer" in await text(panel, "/")


async def test_a_chat_of_somebody_new_is_their_customers_once_they_register(panel, sign_in_as):
    await sign_in_as(Role.SUPPORT)
    account_id = await an_account(name="Гость")
    await a_waiting_chat(account_id, "Как вступить?")
    page = await text(panel, f"/conversations/{account_id}")
    assert "Как вступить?" in page
    assert "Not registered" in page
    await panel.post(f"/conversations/{account_id}/chat", data={"key": key_in(page), "text": "Пришлите телефон"})
    assert await sent(account_id) == ["Пришлите телефон"]
    person = await a_customer()
    await link_account(account_id, person.id, actor=COMMAND, now=START)
    page = await text(panel, f"/conversations/{account_id}")
    assert "Not registered" not in page
    assert f'href="/customers/{person.id}"' in page
    assert "Пришлите телефон" in page
    assert (await panel.get("/conversations/999")).status == 404


async def test_the_journal_leads_to_the_chat_those_who_may_read_it(panel, sign_in_as, chat):
    person, account_id, _ = chat
    await sign_in_as()
    await panel.post(f"/customers/{person.id}/chat", data={"text": "Уже ищем"})
    page = await text(panel, "/journal")
    assert f'href="/conversations/{account_id}"' in page
    assert "Message written" in page
    assert "Уже ищем" not in page
    await sign_in_as(Role.ANALYST)
    assert f'href="/conversations/{account_id}"' not in await text(panel, "/journal")
