"""What is held about a person, and nothing about others."""

import json
from datetime import date, timedelta

import pytest

from loyalty import db
from loyalty.campaigns.actions.clicking import follow
from loyalty.campaigns.links import Click
from loyalty.customers.actions.notes import add_note
from loyalty.customers.actions.profile import referral_code_of, set_consent
from loyalty.customers.rules import Topic
from loyalty.errors import NotFound, Refused
from loyalty.office.actions.erasure import erase_customer
from loyalty.office.actions.merging import merge_cards
from loyalty.office.actions.own_data import attach_own_data, take_own_data
from loyalty.office.queries.own_data import SECTIONS, own_data
from loyalty.receipts.rules.sales import Line
from loyalty.staff.rules import COMMAND, Actor, ActorKind
from tests.builders import NOW, a_cashier, a_customer, a_location, a_message, a_programme, a_sale, an_account
from tests.loyalty.campaigns.frozen import a_campaign, a_recipient

pytestmark = pytest.mark.usefixtures("database")
CUSTOMER = Actor(ActorKind.CUSTOMER)


@pytest.fixture
async def person(database) -> int:
    await a_programme()
    place, cashier = await a_location(name="Tverskaya"), await a_cashier()
    one = await a_customer(name="Мария С.", phone="+79165550101", birthday=date(1990, 5, 14), bonuses=50_00)
    chat = await an_account(one.id)
    await a_message(chat, "Здравствуйте")
    await add_note(one.id, "likes tea", actor=cashier, now=NOW)
    await set_consent(
        one.id, Topic.MARKETING, granted=True, source="panel", text_version="1 ru", actor=COMMAND, now=NOW
    )
    await a_sale(one.id, place, 1000_00, burn=20_00, lines=(Line(1000_00, "Tea"),), actor=cashier)
    return one.id


async def test_every_section_is_there_with_what_is_held(person):
    data = await own_data(person, now=NOW)
    assert list(data) == ["format", "version", "made_at", "shop", "units", *SECTIONS]
    [card] = data["cards"]
    assert (card["name"], card["phone"], card["birthday"]) == ("Мария С.", "+79165550101", "1990-05-14")
    [receipt] = data["receipts"]
    assert (receipt["total"], receipt["location"], receipt["lines"][0]["name"]) == (1000_00, "Tverskaya", "Tea")
    assert [entry["amount"] for entry in data["bonuses"]] == [50_00, -20_00, 49_00]
    assert [note["text"] for note in data["notes"]] == ["likes tea"]
    assert [word["topic"] for word in data["consents"]] == ["marketing"]
    assert [said["text"] for said in data["messages"] if said["direction"] == "in"] == ["Здравствуйте"]
    assert {place["channel"] for place in data["messengers"]} == {"telegram", "sms"}


async def test_messages_to_many_are_told_with_the_links_that_were_followed(person):
    got, drawn = await a_campaign(buttons=("https://menu.example",)), await a_campaign()
    await a_recipient(got, customer_id=person)
    await a_recipient(drawn, "control", customer_id=person)
    await db.execute('UPDATE campaign SET other_texts = \'[{"ru": "Б"}]\'')
    await db.execute("UPDATE recipient SET variant = 1 WHERE campaign_id = $1", got)
    await follow(Click(got, person, 0), counts=True, now=NOW)
    first, second = (await own_data(person, now=NOW))["campaigns"]
    assert (first["what"], second["what"]) == ("written to", "drawn not to be written to")
    assert (first["wording_drawn"], second["wording_drawn"]) == ("B", None)
    [link] = first["followed"]
    assert (link["address"], link["clicks"], second["followed"]) == ("https://menu.example", 1, [])


async def test_nothing_is_said_about_others(person):
    friend = await a_customer(name="Friendly Friend", phone="+79165550177")
    await db.execute(
        "INSERT INTO referral (invitee_id, referrer_id, created_at, state) VALUES ($1, $2, $3, 'waiting')",
        friend.id,
        person,
        NOW,
    )
    text = json.dumps(await own_data(person, now=NOW), ensure_ascii=False)
    assert "invited somebody" in text
    assert not any(word in text for word in ("Friendly", "9165550177", "Timur", "cashier1"))


async def test_cards_that_became_this_one_are_in_it(person):
    other = await a_customer(name="Маша", phone="+79165550102", bonuses=10_00)
    await referral_code_of(other.id)
    await merge_cards(other.id, person, actor=COMMAND, now=NOW)
    data = await own_data(person, now=NOW)
    assert [(card["name"], card["was_merged"]) for card in data["cards"]] == [("Мария С.", False), ("Маша", True)]
    assert 10_00 in [entry["amount"] for entry in data["bonuses"]]
    with pytest.raises(Refused, match="card_was_merged"):
        await own_data(other.id, now=NOW)


async def test_nobody_has_no_data(person):
    with pytest.raises(NotFound):
        await own_data(10**9, now=NOW)
    await erase_customer(person, actor=COMMAND, now=NOW)
    with pytest.raises(NotFound):
        await take_own_data(person, actor=COMMAND, now=NOW)


async def test_taking_it_is_in_the_journal_and_in_the_chat_comes_once_an_hour(person):
    file = json.loads(await take_own_data(person, actor=COMMAND, now=NOW))
    assert file["format"] == "regulars.own_data"
    attachment = await attach_own_data(person, actor=CUSTOMER, now=NOW)
    kept = await db.fetch_row("SELECT name, mime, body FROM attachment WHERE id = $1", attachment)
    assert kept is not None
    assert (kept["name"], kept["mime"], json.loads(kept["body"])["cards"]) == (
        "my-data.json",
        "text/plain",
        file["cards"],
    )
    with pytest.raises(Refused, match="own_data_again_later") as refused:
        await attach_own_data(person, actor=CUSTOMER, now=NOW + timedelta(minutes=20))
    assert refused.value.details == {"minutes": 40}
    await attach_own_data(person, actor=CUSTOMER, now=NOW + timedelta(hours=1))
    acts = "SELECT count(*) FROM journal_entry WHERE action = 'customer.exported' AND subject_id = $1"
    assert await db.fetch_value(acts, person) == 3
