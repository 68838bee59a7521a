"""Whose an account is, where a number was named and not proven."""

import pytest

from loyalty import db
from loyalty.bonuses.actions.once_only import grant_welcome
from loyalty.bonuses.queries import account
from loyalty.customers.actions.accounts import know_account, link_account, set_account_active
from loyalty.customers.actions.links import move_account
from loyalty.customers.actions.phones import change_phone
from loyalty.customers.actions.profile import add_customer, add_steps
from loyalty.customers.queries import accounts_of, customer, messenger_account
from loyalty.customers.queries.links import PhoneOwner, link_request, link_requests, links_about, phone_owner
from loyalty.customers.rules import TYPED_PHONE, LinkState, Profile, Via
from loyalty.errors import NotFound, Refused
from loyalty.office.actions.links import accept_link, ask_link, free_phone, refuse_link
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_customer, a_location, a_sale, an_account, assert_books_agree

pytestmark = pytest.mark.usefixtures("database")

ASKED = "SELECT account_id, content->>'text' AS text FROM message WHERE kind = 'link_asked'"


@pytest.fixture
async def olga():
    """A customer with a proven phone and a chat in Telegram."""
    person = await a_customer(name="Ольга", phone="+79170000001")
    await change_phone(person.id, "+79170000001", actor=COMMAND, now=NOW)
    await an_account(person.id, name="Оля")
    return await customer(person.id)


async def whatsapp(name: str = "Гость", address: str = "US.1", **more) -> int:
    known = await know_account("whatsapp", address, name=name, username=None, language="ru", now=NOW, **more)
    await db.execute(
        "INSERT INTO conversation (account_id, session, last_message_at) VALUES ($1, '{}', $2)", known.id, NOW
    )
    return known.id


async def a_newcomer(address: str = "US.1", phone: str | None = None) -> tuple[int, int]:
    """Somebody who came in WhatsApp with a card of their own, without a proven number: (account, customer)."""
    account_id = await whatsapp(address=address)
    profile = Profile("Гость", phone, None, None, None, "ru", None)
    person = await add_customer(profile, via=Via.WHATSAPP, actor=COMMAND, now=NOW)
    await add_steps(person.id, [(TYPED_PHONE, NOW)], via=Via.WHATSAPP)
    await link_account(account_id, person.id, actor=COMMAND, now=NOW)
    return account_id, person.id


async def asked_about(account_id: int, customer_id: int) -> int:
    request_id = await ask_link(account_id, customer_id, actor=COMMAND, now=NOW)
    assert request_id is not None
    return request_id


async def test_a_claim_is_shown_to_staff_and_asked_of_the_owner_in_the_old_chat_once(olga):
    account_id, newcomer_id = await a_newcomer()
    request_id = await asked_about(account_id, olga.id)
    assert await ask_link(account_id, olga.id, actor=COMMAND, now=NOW) is None
    [request] = await link_requests(is_open=True)
    assert (request.account_id, request.owner_id, request.customer_id) == (account_id, newcomer_id, olga.id)
    for one in (olga.id, newcomer_id):
        assert [about.id for about in await links_about(one)] == [request_id]
    [asked] = await db.fetch(ASKED)
    assert asked["account_id"] == (await accounts_of(olga.id))[0].id
    assert "WhatsApp под именем Гость" in asked["text"]


async def test_accepted_the_account_moves_and_is_told_and_twice_is_refused(olga):
    account_id, newcomer_id = await a_newcomer()
    await grant_welcome(newcomer_id, actor=COMMAND, now=NOW)
    request_id = await asked_about(account_id, olga.id)
    await accept_link(request_id, actor=COMMAND, now=NOW)
    assert [one.channel for one in await accounts_of(olga.id)] == ["telegram", "whatsapp"]
    assert await accounts_of(newcomer_id) == []
    assert (await link_request(request_id)).state is LinkState.ACCEPTED
    assert await db.fetch_value("SELECT account_id FROM message WHERE kind = 'link_accepted'") == account_id
    for decide in (accept_link, refuse_link):
        with pytest.raises(Refused, match="request_is_closed"):
            await decide(request_id, actor=COMMAND, now=NOW)
    with pytest.raises(NotFound):
        await accept_link(10**6, actor=COMMAND, now=NOW)
    await assert_books_agree()


async def test_a_card_with_purchases_is_not_left_behind(olga):
    account_id, newcomer_id = await a_newcomer()
    await a_sale(newcomer_id, await a_location(), 100_00)
    request_id = await asked_about(account_id, olga.id)
    with pytest.raises(Refused, match="cards_must_be_merged"):
        await accept_link(request_id, actor=COMMAND, now=NOW)
    assert (await link_request(request_id)).state is LinkState.OPEN
    assert len(await accounts_of(newcomer_id)) == 1


async def test_refused_the_newcomer_keeps_a_card_with_the_welcome_and_is_not_asked_about_again(olga):
    account_id, newcomer_id = await a_newcomer()
    request_id = await asked_about(account_id, olga.id)
    await refuse_link(request_id, actor=COMMAND, now=NOW)
    assert (await account(newcomer_id, now=NOW)).balance > 0
    assert await db.fetch_value("SELECT account_id FROM message WHERE kind = 'link_refused'") == account_id
    assert await ask_link(account_id, olga.id, actor=COMMAND, now=NOW) is None
    assert len(await db.fetch(ASKED)) == 1
    assert [one.id for one in await link_requests(is_open=False)] == [request_id]


async def test_an_account_waits_for_one_answer_at_a_time(olga):
    account_id, _ = await a_newcomer()
    other = await a_customer()
    assert await ask_link(account_id, olga.id, actor=COMMAND, now=NOW) is not None
    assert await ask_link(account_id, other.id, actor=COMMAND, now=NOW) is None


async def test_only_who_has_proven_the_number_is_asked_in_a_chat():
    _, claimant = await a_newcomer("US.1", "+79170000005")
    account_id, _ = await a_newcomer("US.2")
    assert await ask_link(account_id, claimant, actor=COMMAND, now=NOW) is not None
    assert await db.fetch(ASKED) == []


async def test_a_number_that_was_only_named_goes_to_whoever_proves_it():
    account_id, claimant = await a_newcomer(phone="+79170000005")
    assert await phone_owner("+79170000005") == PhoneOwner(claimant, is_claimed=True)
    assert await free_phone("+79170000005", actor=COMMAND, now=NOW) == [account_id]
    assert (await customer(claimant)).phone is None
    known = await a_customer(phone="+79170000006")
    assert await free_phone("+79170000006", actor=COMMAND, now=NOW) == []
    assert (await customer(known.id)).phone == "+79170000006"


# ------------------------------------------------------------------------------- numbers and names


async def test_a_number_that_the_messenger_vouches_for_later_proves_the_one_that_was_typed():
    _, typed = await a_newcomer("US.1", "+79170000005")
    _, without = await a_newcomer("US.2")
    _, other = await a_newcomer("US.3", "+79170000007")
    for address, phone in (("US.1", "+79170000005"), ("US.2", "+79170000006"), ("US.3", "+79170000005")):
        await know_account(
            "whatsapp", address, name="Гость", username=None, language="ru", phone=phone, alias=None, now=NOW
        )
    assert [(await customer(one)).phone for one in (typed, without, other)] == [
        "+79170000005", "+79170000006", "+79170000007",
    ]  # fmt: skip
    assert (await customer(typed)).phone_verified_at == NOW
    assert (await customer(without)).phone_verified_at == NOW
    assert (await customer(other)).phone_verified_at is None


async def a_whatsapp_customer(number: str, address: str | None = None) -> tuple[int, int]:
    account_id = await whatsapp(address=address or number, alias=number if address else None, phone=f"+{number}")
    person = await a_customer(phone=f"+{number}")
    await link_account(account_id, person.id, actor=COMMAND, now=NOW)
    return account_id, person.id


@pytest.mark.parametrize("address", [None, "US.9"])
async def test_a_moved_account_goes_by_its_new_number_and_the_card_follows(address):
    account_id, person_id = await a_whatsapp_customer("79170000001", address)
    assert await move_account(account_id, "79170000002", "+79170000002", actor=COMMAND, now=NOW)
    moved = await messenger_account(account_id)
    assert (moved.address, moved.alias, moved.phone) == (
        address or "79170000002",
        "79170000002" if address else None,
        "+79170000002",
    )
    person = await customer(person_id)
    assert (person.phone, person.phone_verified_at) == ("+79170000002", NOW)


async def test_a_number_of_somebody_elses_card_does_not_follow_and_people_are_to_look():
    account_id, person_id = await a_whatsapp_customer("79170000001")
    await a_customer(phone="+79170000002")
    assert not await move_account(account_id, "79170000002", "+79170000002", actor=COMMAND, now=NOW)
    assert (await messenger_account(account_id)).address == "79170000002"
    assert (await customer(person_id)).phone == "+79170000001"


async def test_an_account_that_wrote_before_we_were_told_becomes_the_living_one():
    account_id, person_id = await a_whatsapp_customer("79170000001")
    newer = await whatsapp(address="79170000002")
    assert await move_account(account_id, "79170000002", "+79170000002", actor=COMMAND, now=NOW)
    accounts = await accounts_of(person_id)
    assert [(one.id, one.is_default, one.is_active) for one in accounts] == [
        (newer, True, True),
        (account_id, False, False),
    ]
    assert (await customer(person_id)).phone == "+79170000002"


async def test_a_name_that_is_somebody_elses_account_changes_nothing_and_people_are_to_look():
    account_id, _ = await a_whatsapp_customer("79170000001")
    await a_whatsapp_customer("79170000002")
    assert not await move_account(account_id, "79170000002", "+79170000002", actor=COMMAND, now=NOW)
    assert (await messenger_account(account_id)).address == "79170000001"


async def test_a_blocked_chat_is_not_told_of_the_decision(olga):
    account_id, _ = await a_newcomer()
    request_id = await asked_about(account_id, olga.id)
    await set_account_active(account_id, is_active=False, now=NOW)
    await refuse_link(request_id, actor=COMMAND, now=NOW)
    assert await db.fetch_value("SELECT count(*) FROM message WHERE kind = 'link_refused'") == 0
