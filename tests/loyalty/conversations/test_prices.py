"""What channels charge for a message: known or not, by what it is about or by its template, rounded once."""

import asyncio

import pytest

from loyalty import db
from loyalty.conversations.actions.prices import change_prices
from loyalty.conversations.prices import MOST, UNKNOWN, Price, charged_for, checked_prices, cost_of
from loyalty.conversations.queries.prices import prices
from loyalty.errors import Conflict, Invalid
from loyalty.staff.rules import COMMAND
from tests.builders import NOW

TOLD = {"telegram": Price(0, 0), "whatsapp": Price(670_00, 120_00), "sms": Price(450_00), "email": UNKNOWN}


def test_an_offer_costs_what_advertising_costs_and_all_else_what_service_does():
    assert charged_for(TOLD, topic="marketing") == {"telegram": 0, "whatsapp": 670_00, "sms": 450_00}
    # Of an SMS about the service nobody has told: it is not known, and not nothing.
    assert charged_for(TOLD, topic="service") == {"telegram": 0, "whatsapp": 120_00}


@pytest.mark.parametrize(
    ("category", "price"), [("marketing", 670_00), ("utility", 120_00), ("authentication", None), ("", 120_00)]
)
def test_a_template_costs_what_its_category_does_whatever_it_is_sent_for(category, price):
    found = charged_for(TOLD, topic="service", category=category)
    assert found.get("whatsapp") == price
    assert found["telegram"] == 0


def test_a_cost_is_rounded_once_to_the_nearest_minor_unit():
    # A thousand SMS at 0.0733: not seven cents each.
    assert cost_of(1_000, 7_33) == 73_30
    assert [cost_of(1, one) for one in (0, 49, 50, 149, 150)] == [0, 0, 1, 1, 2]
    assert cost_of(0, 450_00) == 0


def test_prices_are_of_known_channels_and_within_reason():
    assert list(checked_prices({"sms": Price(1)})) == ["telegram", "whatsapp", "sms", "email"]
    for wrong, field, reason in (
        ({"pigeon": Price(1)}, "channels", "unknown_choice"),
        ({"sms": Price(MOST + 1)}, "sms-advertising", "too_large"),
        ({"email": Price(0, -1)}, "email-service", "not_a_number"),
    ):
        with pytest.raises(Invalid) as raised:
            checked_prices(wrong)
        assert (raised.value.field, raised.value.reason) == (field, reason)


async def test_of_two_who_save_in_one_breath_one_is_told(database):
    saving = [change_prices({"sms": Price(one)}, seen={}, actor=COMMAND, now=NOW) for one in range(1, 7)]
    found = await asyncio.gather(*saving, return_exceptions=True)
    assert [type(one) for one in found if one is not None] == [Conflict] * 5
    assert (await prices())["sms"] == Price(found.index(None) + 1)


async def test_prices_that_nobody_has_told_are_not_known(database):
    assert set((await prices()).values()) == {UNKNOWN}


async def test_what_changed_is_in_the_journal_and_the_second_one_to_save_is_told(database):
    await change_prices(TOLD, seen={}, actor=COMMAND, now=NOW)
    assert await prices() == TOLD
    [line] = await db.fetch("SELECT details FROM journal_entry WHERE action = 'prices.changed'")
    told = db.from_json(line["details"])["prices"]
    assert told["sms"] == {"advertising": 450_00, "service": None}
    assert "email" not in told
    with pytest.raises(Conflict):
        await change_prices({"sms": Price(1)}, seen={}, actor=COMMAND, now=NOW)
    # Forgotten is not free.
    await change_prices({**TOLD, "telegram": UNKNOWN}, seen=TOLD, actor=COMMAND, now=NOW)
    assert (await prices())["telegram"] == UNKNOWN
    await change_prices(await prices(), seen=await prices(), actor=COMMAND, now=NOW)
    assert await db.fetch_value("SELECT count(*) FROM journal_entry WHERE action = 'prices.changed'") == 2
