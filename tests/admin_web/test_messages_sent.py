"""The list of everything that was sent."""

import re
from datetime import timedelta

import pytest

from admin_web.pages.messages_sent import KINDS as NAMED
from loyalty import db
from loyalty.conversations.content import Content
from loyalty.conversations.kinds import KINDS
from loyalty.staff.rules import Role
from tests.admin_web.conftest import START
from tests.builders import a_customer, a_message, an_account

HTMX = {"HX-Request": "true", "HX-Target": "results"}
MARKUP = "<img src=x onerror=alert(1)>"


async def text(panel, path: str, *, status: int = 200, headers: dict[str, str] | None = None) -> str:
    response = await panel.get(path, headers=headers, allow_redirects=False)
    assert response.status == status, (path, response.status)
    return await response.text()


def listed(html: str) -> list[int]:
    """The messages of the list, in its order."""
    return [int(number) for number in re.findall(r"#message-(\d+)", html)]


def counts(html: str) -> dict[str, str]:
    return dict(re.findall(r'<span class="small">([^<]+)</span> <b class="num">([^<]+)</b>', html))


async def a_receipt(account: int, status: str = "sent", *, days: float = 0, **more) -> int:
    kind = more.pop("kind", "receipt")
    return await a_message(account, "Чек", kind=kind, status=status, now=START - timedelta(days=days), **more)


def test_every_type_of_message_has_a_name():
    assert set(KINDS) | {"staff", "reply", "card", "invitation", "task_due", "survey", "bulk"} == set(NAMED)


@pytest.mark.parametrize(("role", "status"), [(Role.MARKETER, 200), (Role.SUPPORT, 200), (Role.ANALYST, 403)])
async def test_whoever_reads_conversations_sees_what_was_sent(panel, sign_in_as, role, status):
    await sign_in_as(role)
    await text(panel, "/messages", status=status)


async def test_a_line_says_to_whom_what_and_what_became_of_it(panel, sign_in_as):
    await sign_in_as()
    customer = (await a_customer(name=f"Мария {MARKUP}")).id
    account = await an_account(customer)
    message = await a_message(
        account, f"Чек {MARKUP}\nвторая строка", kind="receipt", status="failed", reason="blocked", now=START
    )
    html = await text(panel, "/messages")
    assert f'href="/conversations/{account}?at={message}#message-{message}"' in html
    assert f'href="/customers/{customer}"' in html
    assert MARKUP not in html
    assert "вторая строка" not in html
    for words in ("About a purchase", "Telegram", "not sent", "the customer has blocked us"):
        assert words in html
    opened = await text(panel, f"/conversations/{account}?at={message}")
    assert f'id="message-{message}"' in opened


async def test_the_last_seven_days_are_shown_until_somebody_asks_otherwise(panel, sign_in_as):
    await sign_in_as()
    account = await an_account()
    old, week, today = [await a_receipt(account, days=days) for days in (20, 5, 0)]
    assert listed(await text(panel, "/messages")) == [today, week]
    assert listed(await text(panel, "/messages?days=1")) == [today]
    assert listed(await text(panel, "/messages?days=30")) == [today, week, old]
    day = f"{START - timedelta(days=5):%Y-%m-%d}"
    assert listed(await text(panel, f"/messages?days=own&since={day}&until={day}")) == [week]
    assert listed(await text(panel, "/messages?days=own")) == [today, week, old]


async def test_a_day_begins_by_the_clock_of_the_shop(panel, sign_in_as, clock):
    await sign_in_as()
    await db.execute("UPDATE shop SET time_zone = 'Asia/Vladivostok'")
    account = await an_account()
    # Nine in the morning in London is seven in the evening there: their day began at 14:00 of the day before.
    await a_receipt(account, days=20 / 24)
    today = await a_receipt(account, days=18 / 24)
    assert listed(await text(panel, "/messages?days=1")) == [today]


async def test_filters_and_counts_go_by_the_address(panel, sign_in_as):
    await sign_in_as()
    account = await an_account()
    sent, failed = await a_receipt(account), await a_receipt(account, "failed", reason="rejected")
    staff = await a_receipt(account, kind="staff")
    html = await text(panel, "/messages?state=failed")
    assert listed(html) == [failed]
    assert counts(html) == {
        "Sent out": "2", "Delivered": "—", "Read": "—", "Waiting": "0", "Not sent": "1", "Unknown": "0",
    }  # fmt: skip
    html = await text(panel, "/messages?kind=receipt&channel=telegram", headers=HTMX)
    assert listed(html) == [failed, sent]
    assert 'href="/messages?kind=receipt&amp;channel=telegram&amp;state=sent"' in html
    assert "<html" not in html
    assert listed(await text(panel, "/messages?kind=staff&state=sent")) == [staff]


async def test_nonsense_in_the_address_is_left_aside(panel, sign_in_as):
    await sign_in_as()
    message = await a_receipt(await an_account())
    for query in ("state=x", "days=999", "kind=%00", "channel=fax", "before=-1", "before=9" + "9" * 30, "since=x"):
        assert listed(await text(panel, f"/messages?{query}")) == [message], query
    html = await text(panel, "/messages?days=own&since=yesterday&until=9999-12-31")
    assert "This is not a date." in html
    for since in ("0001-01-01", "9999-12-31"):
        await text(panel, f"/messages?days=own&since={since}&until={since}")
    assert listed(await text(panel, "/messages?before=999999")) == [message]


async def test_a_message_without_words_is_named_by_what_it_carries(panel, sign_in_as):
    await sign_in_as()
    account = await an_account()
    await a_message(account, kind="card", status="sent", content=Content(picture="card"), now=START)
    await a_message(account, kind="staff", status="sent", content=Content(attachment=7), now=START)
    html = await text(panel, "/messages")
    assert html.count(">Picture or file<") == 2


async def test_empty_says_why_and_what_to_do(panel, sign_in_as):
    await sign_in_as()
    assert "Nothing was sent in these days" in await text(panel, "/messages")
    assert "No messages like this" in await text(panel, "/messages?state=failed")


async def test_a_rare_kind_is_looked_for_further_back(panel, sign_in_as, monkeypatch):
    from loyalty.conversations.queries import sent

    monkeypatch.setattr(sent, "LOOKED", 2)
    await sign_in_as()
    account = await an_account()
    rare = await a_receipt(account, kind="birthday")
    for _ in range(3):
        await a_receipt(account)
    html = await text(panel, "/messages?kind=birthday")
    assert "Nothing like this among the" in html
    assert counts(html)["Sent out"] == "…"
    further = re.findall(r'href="(/messages\?[^"]*before=\d+)"', html)[0].replace("&amp;", "&")
    assert listed(await text(panel, further)) == [rare]


async def test_what_was_lost_is_sent_again_and_the_list_stays_as_it_was(panel, sign_in_as):
    await sign_in_as()
    account = await an_account((await a_customer()).id)
    lost = await a_receipt(account, "unknown", reason="answer_lost")
    assert f'action="/messages/{lost}/again?state=unknown"' in await text(panel, "/messages?state=unknown")
    for said in ("It is sent again", "Another message went instead of it already"):
        response = await panel.post(f"/messages/{lost}/again?state=unknown", allow_redirects=False)
        assert (response.status, response.headers["Location"]) == (303, "/messages?state=unknown")
        html = await text(panel, "/messages?state=unknown")
        assert said in html
        assert "another message went instead" in html
        assert f"/messages/{lost}/again" not in html
    html = await text(panel, "/messages")
    assert "sent again" in html
    assert await db.fetch_value("SELECT count(*) FROM message WHERE instead_of_id = $1", lost) == 1


async def test_what_cannot_be_sent_again_says_why(panel, sign_in_as):
    await sign_in_as()
    account = await an_account((await a_customer()).id)
    lost, fine = await a_receipt(account, "failed"), await a_receipt(account)
    await db.execute(
        "UPDATE messenger_account SET is_active = false, inactive_reason = 'blocked' WHERE id = $1", account
    )
    for message_id, why in ((lost, "has blocked us there"), (fine, "is not lost")):
        response = await panel.post(f"/messages/{message_id}/again")
        assert response.status == 409
        assert why in await response.text()
    assert (await panel.post("/messages/999999/again")).status == 404


async def test_only_whoever_writes_messages_sends_again(panel, sign_in_as):
    await sign_in_as(Role.ANALYST)
    lost = await a_receipt(await an_account(), "failed")
    assert (await panel.post(f"/messages/{lost}/again")).status == 403
    assert await db.fetch_value("SELECT count(*) FROM message WHERE status = 'queued'") == 0
