"""The whole way: a person in WhatsApp, its signed webhook, our dialogs, its API, and what becomes of our messages."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from io import BytesIO

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from PIL import Image
from pydantic import SecretStr

from bot.simulator import Business, Simulator
from bot.simulator.whatsapp.messenger import WhatsApp
from loyalty import db
from loyalty.bonuses.actions.manual import adjust
from loyalty.clock import system_now
from loyalty.customers.actions.accounts import know_account, link_account
from loyalty.ids import new_key
from loyalty.staff.rules import COMMAND
from tests.bot.channels.whatsapp.payloads import ANNA
from tests.bot.conftest import TOKEN, bot_message, talking, until, until_sql

BUSINESS = Business(access_token="EAAG", app_secret="secret", verify_token="verify", phone_number_id="1000000")


@dataclass
class City:
    """WhatsApp with its people, and where its Graph API is."""

    whatsapp: WhatsApp
    url: str


def a_photo() -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (640, 480), "white").save(buffer, "JPEG")
    return buffer.getvalue()


@pytest.fixture
async def city(caller) -> AsyncIterator[City]:
    simulator = Simulator(token=TOKEN, whatsapp=replace(BUSINESS, hook=str(caller.make_url("/webhooks/whatsapp"))))
    app = web.Application()
    app.add_subapp("/simulator", simulator.build_app())
    async with TestServer(app) as server:
        yield City(simulator.whatsapp, str(server.make_url("/simulator/whatsapp/v25.0")))


@pytest.fixture
async def anna(shop, settings, city, webhooks, clock):
    called = settings.model_copy(
        update={
            "whatsapp_access_token": SecretStr(BUSINESS.access_token),
            "whatsapp_phone_number_id": BUSINESS.phone_number_id,
            "whatsapp_app_secret": SecretStr(BUSINESS.app_secret),
            "whatsapp_verify_token": SecretStr(BUSINESS.verify_token),
            "whatsapp_api_url": city.url,
            "whatsapp_chat_seconds": 0,
        }
    )
    async with talking(called, clock, webhooks):
        yield city.whatsapp.add_person(name="Анна", phone=f"+{ANNA}")


async def register(anna) -> None:
    anna.start()
    anna.tap(await anna.wait_for(bot_message("На каком языке")), "Русский")
    anna.tap(await anna.wait_for(bot_message("Вы согласны?")), "Согласен")
    anna.tap(await anna.wait_for(bot_message("об акциях")), "Да")
    anna.tap(await anna.wait_for(bot_message("Как вас зовут?")), 0)
    anna.tap(await anna.wait_for(bot_message("Когда у вас день рождения?")), "Пропустить")
    await anna.wait_for(bot_message("Добро пожаловать"))


async def test_somebody_joins_by_buttons_and_a_menu_and_sees_their_card(anna):
    await register(anna)
    known = "SELECT address, alias, phone, name, customer_id FROM messenger_account WHERE channel = 'whatsapp'"
    found = await db.fetch_row(known)
    assert found is not None
    assert (found["address"], found["alias"], found["phone"]) == (anna.user_id, ANNA, f"+{ANNA}")
    assert found["customer_id"] is not None
    menu = await anna.wait_for(lambda message: "list" in message)
    anna.choose(menu, "Моя карта")
    card = await anna.wait_for(lambda message: "image" in message)
    assert card["outgoing"] is False
    anna.read()
    await until_sql("SELECT bool_and(status = 'read') FROM message WHERE direction = 'out'")
    assert await db.fetch_value("SELECT bool_and(external_id LIKE 'wamid.%') FROM message WHERE direction = 'out'")
    assert await db.fetch_value("SELECT count(*) FROM incoming_update WHERE state = 'failed'") == 0


async def test_a_picture_a_document_and_a_place_are_kept_for_staff(anna):
    await register(anna)
    anna.send_photo(a_photo(), "Чек")
    anna.send_document(b"%PDF-1.4 made up", "чек.pdf")
    anna.send_location(55.75, 37.62, "Ладно")
    await until_sql("SELECT count(*) = 2 FROM media WHERE state = 'stored'")
    kept = await db.fetch("SELECT mime, name, length(body) AS length FROM media ORDER BY id")
    assert [(row["mime"], row["name"]) for row in kept] == [("image/jpeg", ""), ("application/pdf", "чек.pdf")]
    await until_sql("SELECT EXISTS (SELECT FROM message WHERE kind = 'location')")
    assert await db.fetch_value("SELECT content->>'text' FROM message WHERE kind = 'location'") == "Ладно\n55.75, 37.62"


async def test_statuses_in_any_order_only_move_a_message_up(anna, city):
    city.whatsapp.hold_statuses = True
    await register(anna)
    anna.read()
    statuses = city.whatsapp.held
    assert {"delivered", "read"} <= {one["status"] for one in statuses}
    city.whatsapp.hold_statuses = False
    city.whatsapp.release(reversed(statuses))
    await until_sql("SELECT NOT EXISTS (SELECT FROM incoming_update WHERE state = 'new')")
    await until_sql("SELECT bool_and(status = 'read') FROM message WHERE direction = 'out'")


async def test_who_hides_their_number_is_answered_and_their_marks_come_back(anna, city):
    hidden = city.whatsapp.add_person(name="Вера", phone=None, hidden_phone="+79165550909")
    hidden.start()
    await hidden.wait_for(bot_message("На каком языке"))
    hidden.read()
    await until_sql("SELECT EXISTS (SELECT FROM message WHERE direction = 'out' AND status = 'read')")
    found = await db.fetch_row("SELECT address, alias, phone FROM messenger_account WHERE channel = 'whatsapp'")
    assert found is not None
    assert tuple(found.values()) == (hidden.user_id, None, None)


async def test_a_message_that_is_refused_later_has_failed_for_that_reason(anna, city):
    await register(anna)
    anna.read()
    await until_sql("SELECT bool_and(status = 'read') FROM message WHERE direction = 'out'")
    city.whatsapp.faults.undeliverable = 1
    anna.send("Баланс")
    await until_sql("SELECT EXISTS (SELECT FROM message WHERE status = 'failed' AND reason = 'gone')")
    gone = "SELECT NOT is_active AND inactive_reason = 'gone' FROM messenger_account WHERE channel = 'whatsapp'"
    await until_sql(gone)
    # Whoever writes is there after all.
    anna.send("Баланс")
    await anna.wait_for(bot_message("бонус"))
    await until_sql("SELECT is_active FROM messenger_account WHERE channel = 'whatsapp'")


async def test_the_link_into_the_chat_is_known(anna):
    await until_sql("SELECT EXISTS (SELECT FROM channel_link)")
    link = await db.fetch_value("SELECT link FROM channel_link WHERE source = 'whatsapp:1000000'")
    assert link == "https://wa.me/447400000000?text=%2Fstart%20"


async def test_a_revoked_token_stops_the_sending_and_fails_nothing(anna, city):
    await register(anna)
    city.whatsapp.faults.unauthorized = True
    anna.send("Баланс")
    await until_sql("SELECT EXISTS (SELECT FROM channel_pause WHERE reason = 'unauthorized')")
    assert await db.fetch_value("SELECT count(*) FROM message WHERE status = 'failed'") == 0
    await until(lambda: db.fetch_value("SELECT count(*) = 1 FROM message WHERE status IN ('queued', 'delayed')"))


BODY = "Вам начислили {{1}}, на карте {{2}} теперь."


async def credit() -> None:
    """A service message: bonuses by hand are told to their owner."""
    customer_id = await db.fetch_value("SELECT id FROM customer")
    await adjust(customer_id, 10_00, "gift", key=new_key(), actor=COMMAND, now=system_now())


async def an_approved_template(city) -> None:
    body = {"type": "BODY", "text": BODY, "example": {"body_text": [["10 бонусов", "20 бонусов"]]}}
    city.whatsapp.templates.create({"name": "bonuses", "language": "ru", "category": "UTILITY", "components": [body]})
    city.whatsapp.templates.review("bonuses", "ru", "APPROVED")
    await db.execute(
        "INSERT INTO message_template (name, language, category, body, variables, status, kind, updated_at)"
        " VALUES ('bonuses', 'ru', 'utility', $2, $1::jsonb, 'approved', 'bonuses_credited', now())",
        db.to_json([{"name": "amount", "fallback": "бонусы"}, {"name": "balance", "fallback": "бонусы"}]),
        BODY,
    )


LAST_IS = "SELECT status = $1 AND reason IS NOT DISTINCT FROM $2 FROM message ORDER BY id DESC LIMIT 1"


async def last_became(status: str, reason: str | None = None) -> None:
    await until(lambda: db.fetch_value(LAST_IS, status, reason))


async def test_a_day_after_their_last_word_nothing_but_a_template_is_tried(anna, city):
    await register(anna)
    await db.execute("UPDATE conversation SET heard_at = heard_at - interval '1 day'")
    calls = len(city.whatsapp.calls)
    await credit()
    await last_became("failed", "window_closed")
    assert len(city.whatsapp.calls) == calls
    await an_approved_template(city)
    await credit()
    await anna.wait_for(bot_message("Вам начислили 10"))
    await last_became("delivered")


async def test_a_window_that_closed_by_their_clock_alone_is_heard_of_and_the_template_goes_next(anna, city):
    await register(anna)
    await an_approved_template(city)
    anna.let_a_day_pass()
    await credit()
    await anna.wait_for(bot_message("Вам начислили 10"))
    await last_became("delivered")
    last = await db.fetch_row("SELECT attempts, units FROM message ORDER BY id DESC LIMIT 1")
    # The text would have been free; the template is charged for.
    assert last == {"attempts": 2, "units": 1}


async def test_what_whatsapp_does_not_deliver_goes_to_their_telegram(anna, city):
    await register(anna)
    other = await know_account("telegram", "77", name="Анна", username=None, language="ru", now=system_now())
    await link_account(other.id, await db.fetch_value("SELECT id FROM customer"), actor=COMMAND, now=system_now())
    anna.let_a_day_pass()
    await credit()
    await until_sql("SELECT EXISTS (SELECT FROM message WHERE channel = 'telegram' AND status = 'queued')")
    instead = await db.fetch_row(
        "SELECT status, reason FROM message WHERE channel = 'whatsapp' ORDER BY id DESC LIMIT 1"
    )
    assert instead == {"status": "failed", "reason": "window_closed"}
