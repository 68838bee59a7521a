"""Linking the Telegram in which one is reminded of tasks, from one's account."""

import re
from datetime import timedelta
from html import unescape

import pytest
import segno
from pydantic import SecretStr

from admin_web.keys import SETTINGS
from loyalty import db
from loyalty.conversations.actions.links import keep_link
from loyalty.customers.actions.accounts import set_account_active
from loyalty.staff.rules import Role
from loyalty.tasks.actions.chats import link_chat
from loyalty.tasks.queries import staff_chat
from tests.admin_web.conftest import START
from tests.builders import an_account

HTMX = {"HX-Request": "true"}


@pytest.fixture
async def with_bot(panel):
    """A bot of ours has told how people come to it."""
    panel.app._state[SETTINGS] = panel.app[SETTINGS].model_copy(update={"telegram_bot_token": SecretStr("77:secret")})
    await keep_link("telegram:77", "https://t.me/ladno_bot?start=", now=START)
    return panel


async def code_of(panel) -> str:
    """A code as the page shows it, once."""
    answer = await panel.post("/account/telegram", headers=HTMX)
    shown = unescape(await answer.text())
    [code] = re.findall(r'value="/start s_(\w+)"', shown)
    assert f'value="https://t.me/ladno_bot?start=s_{code}"' in shown
    [drawn] = re.findall(r"<svg.*?</svg>", shown[shown.index("entry-qr") :], re.DOTALL)[:1]
    link = f"https://t.me/ladno_bot?start=s_{code}"
    assert drawn == segno.make_qr(link, error="m").svg_inline(omitsize=True, border=3, dark="#000", light="#fff")
    return code


@pytest.mark.parametrize("role", [Role.OWNER, Role.CASHIER])
async def test_a_code_is_shown_once_and_the_page_hears_when_it_was_used(with_bot, sign_in_as, clock, role):
    me = await sign_in_as(role)
    assert "Link Telegram" in await (await with_bot.get("/account")).text()
    code = await code_of(with_bot)
    assert (await with_bot.get("/account/telegram", headers=HTMX)).status == 204
    assert code not in await (await with_bot.get("/account")).text()
    await link_chat(code, await an_account(name="Ольга"), now=clock.now())
    linked = await with_bot.get("/account/telegram", headers=HTMX)
    assert linked.status == 200
    text = await linked.text()
    assert "come to Ольга" in text
    assert "every 3s" not in text
    answer = await with_bot.post("/account/telegram/unlink", allow_redirects=False)
    assert (answer.status, answer.headers["Location"]) == (303, "/account")
    chat = await staff_chat(me.id)
    assert chat is not None
    assert chat.account_id is None


async def test_a_code_that_ran_out_is_asked_for_no_more(with_bot, sign_in_as, clock):
    await sign_in_as()
    await code_of(with_bot)
    clock.moment += timedelta(minutes=15)
    answer = await with_bot.get("/account/telegram", headers=HTMX)
    assert answer.status == 200
    assert "Link Telegram" in await answer.text()


async def test_without_scripts_the_code_has_a_page_of_its_own(with_bot, sign_in_as):
    await sign_in_as()
    page = await (await with_bot.post("/account/telegram")).text()
    assert "/start s_" in page
    assert "<html" in page
    there = await with_bot.get("/account/telegram", allow_redirects=False)
    assert (there.status, there.headers["Location"]) == (303, "/account")


async def test_a_chat_that_blocked_the_bot_is_said_to_be(with_bot, sign_in_as, clock):
    await sign_in_as()
    account = await an_account()
    await link_chat(await code_of(with_bot), account, now=clock.now())
    await set_account_active(account, is_active=False, now=clock.now())
    page = await (await with_bot.get("/account")).text()
    assert "The bot is blocked there" in page
    assert "Link another account" in page


async def test_without_a_bot_there_is_nothing_to_link(panel, sign_in_as):
    await sign_in_as()
    page = await (await panel.get("/account")).text()
    assert "no bot in Telegram yet" in page
    assert "Link Telegram" not in page


async def test_who_is_shut_out_is_let_go_of(with_bot, sign_in_as, hire, clock):
    other = await hire(Role.SUPPORT, "Dasha")
    await sign_in_as()
    await db.execute(
        "INSERT INTO staff_chat (staff_id, account_id, linked_at) VALUES ($1, $2, $3)",
        other.id,
        await an_account(),
        clock.now(),
    )
    await with_bot.post(f"/settings/staff/{other.id}/disable")
    chat = await staff_chat(other.id)
    assert chat is not None
    assert chat.account_id is None
