"""Where a customer is written to: the places of their profile, the shop's order of channels, its own words, the cap."""

from datetime import timedelta

import pytest

from loyalty import db
from loyalty.conversations.actions import delivery, outbox
from loyalty.conversations.content import Content
from loyalty.conversations.queries.recipients import recipient_of
from loyalty.conversations.rules import Cap, Priority, refusal
from loyalty.customers.actions.accounts import answer_topics, make_default, set_account_active, set_topics
from loyalty.customers.actions.phones import change_phone, release_phone
from loyalty.customers.actions.profile import set_consent, update_profile
from loyalty.customers.queries import accounts_of, places_of
from loyalty.customers.rules import Profile, Topic
from loyalty.errors import NotFound
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_customer, assert_books_agree
from tests.loyalty.conversations.test_delivery import an_account_of, shop

__all__ = ["shop"]


async def a_type(name: str, channels: str, *, own_first: bool = True, texts: dict[str, dict[str, str]] | None = None):
    await db.execute(
        "INSERT INTO message_type (name, channels, own_first, texts, updated_at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (name) DO UPDATE SET channels = EXCLUDED.channels, own_first = EXCLUDED.own_first",
        name,
        channels,
        own_first,
        db.to_json(texts or {}),
        NOW,
    )


async def channel_for(customer_id: int, kind: str = "receipt") -> str | None:
    recipient = await recipient_of(customer_id, kind)
    if recipient is None:
        return None
    channel: str = await db.fetch_value("SELECT channel FROM messenger_account WHERE id = $1", recipient.account_id)
    return channel


def profile_of(person, **changes) -> Profile:
    known = {name: getattr(person, name) for name in Profile.__dataclass_fields__}
    return Profile(**{**known, **changes})


async def places(customer_id: int) -> list[tuple[str, str]]:
    return [(place.channel, place.address) for place in await places_of(customer_id)]


async def test_a_phone_and_an_email_are_places_to_write_to_and_go_with_the_profile(shop):
    person = await a_customer(phone="+79161112233")
    assert await places(person.id) == [("sms", "+79161112233")]
    assert await accounts_of(person.id) == []
    changed = profile_of(person, email="olga@ladno.example", phone="+79161112244")
    await update_profile(person.id, changed, actor=COMMAND, now=NOW)
    assert await places(person.id) == [("sms", "+79161112244"), ("email", "olga@ladno.example")]
    await release_phone(person.id, actor=COMMAND, now=NOW)
    assert await places(person.id) == [("email", "olga@ladno.example")]
    await assert_books_agree()


async def test_a_number_that_goes_to_somebody_else_takes_its_place_along_and_begins_anew(shop):
    before, after = await a_customer(phone="+79161112233"), await a_customer()
    [place] = await places_of(before.id)
    await set_topics(place.id, marketing=False, actor=COMMAND, now=NOW)
    await release_phone(before.id, actor=COMMAND, now=NOW)
    await change_phone(after.id, "+79161112233", actor=COMMAND, now=NOW)
    [taken] = [place for place in await places_of(after.id) if place.channel == "sms"]
    assert (taken.id, taken.takes_marketing, await places(before.id)) == (place.id, True, [])
    await assert_books_agree()


async def test_a_family_shares_an_email_and_who_comes_back_to_theirs_finds_what_they_said_of_it(shop):
    one, other = await a_customer(), await a_customer()
    for person in (one, other):
        await update_profile(person.id, profile_of(person, email="we@ladno.example"), actor=COMMAND, now=NOW)
    [place] = [place for place in await places_of(one.id) if place.channel == "email"]
    await set_topics(place.id, marketing=False, actor=COMMAND, now=NOW)
    await update_profile(one.id, profile_of(one, email=None), actor=COMMAND, now=NOW)
    await update_profile(one.id, profile_of(one, email="we@ladno.example"), actor=COMMAND, now=NOW)
    emails = [place for person in (one, other) for place in await places_of(person.id) if place.channel == "email"]
    assert [(mail.address, mail.takes_marketing) for mail in emails] == [
        ("we@ladno.example", False),
        ("we@ladno.example", True),
    ]
    await assert_books_agree()


async def test_a_place_of_the_profile_is_never_the_one_that_people_chose(shop):
    person = await a_customer(phone="+79161112233")
    [place] = await places_of(person.id)
    with pytest.raises(NotFound):
        await make_default(place.id, actor=COMMAND, now=NOW)


async def test_nobody_gets_an_sms_unless_the_shop_says_so(shop):
    person = await a_customer(phone="+79161112233")
    assert await channel_for(person.id) is None
    await a_type("receipt", "telegram,whatsapp,sms")
    assert [await channel_for(person.id), await channel_for(person.id, "birthday")] == ["sms", None]


async def test_the_messenger_that_a_customer_chose_goes_first_and_then_the_shops_order(shop):
    person = await a_customer(phone="+79161112233")
    telegram = await an_account_of(person.id, "telegram", "77")
    whatsapp = await an_account_of(person.id, "whatsapp", "79170000001")
    await a_type("receipt", "sms,whatsapp,telegram")
    assert await channel_for(person.id) == "telegram"
    await make_default(whatsapp, actor=COMMAND, now=NOW)
    assert await channel_for(person.id) == "whatsapp"
    await a_type("receipt", "sms,whatsapp,telegram", own_first=False)
    assert await channel_for(person.id) == "sms"
    await a_type("receipt", "telegram,whatsapp", own_first=False)
    assert await channel_for(person.id) == "telegram"
    await set_account_active(telegram, is_active=False, now=NOW)
    assert await channel_for(person.id) == "whatsapp"
    await a_type("receipt", "")
    assert await channel_for(person.id) is None


async def test_what_fails_for_good_goes_on_in_the_order_of_its_type(shop):
    person = await a_customer(phone="+79161112233")
    telegram = await an_account_of(person.id, "telegram", "77")
    await an_account_of(person.id, "whatsapp", "79170000001")
    await a_type("receipt", "sms,telegram")
    await outbox.queue_service(telegram, "receipt", Content(text="one"), dedupe_key="one", now=NOW)
    [message] = await delivery.lease_messages("telegram:4242", limit=1, now=NOW)
    assert await delivery.settle_failed(message.id, "gone", now=NOW)
    instead = await db.fetch_row("SELECT id, channel FROM message WHERE instead_of_id = $1", message.id)
    assert instead is not None
    assert instead["channel"] == "sms"
    [message] = await delivery.lease_messages("sms:Ladno", limit=1, now=NOW)
    assert not await delivery.settle_failed(message.id, "gone", now=NOW)


async def test_the_shops_own_words_are_said_to_a_person_by_their_first_name(shop):
    person = await a_customer(name="Ольга Ильина", phone="+79161112233")
    await an_account_of(person.id, "telegram", "77")
    texts = {"ru": {"text": "{first_name}, спасибо!\nНачислили {earned}.\nВсего {balance}.", "subject": "Чек {total}"}}
    await a_type("receipt", "telegram", texts=texts)
    recipient = await recipient_of(person.id, "receipt")
    assert recipient is not None
    said = recipient.content({"balance": "5 бонусов", "total": "{balance}"})
    assert (said.text, said.subject) == ("Ольга, спасибо!\nВсего 5 бонусов.", "Чек {balance}")
    assert said.values["first_name"] == "Ольга"


async def test_advertising_has_a_cap_that_counts_what_went_out_anywhere(shop):
    person = await a_customer(phone="+79161112233")
    await set_consent(
        person.id, Topic.MARKETING, granted=True, source="telegram", text_version="1", actor=COMMAND, now=NOW
    )
    telegram = await an_account_of(person.id, "telegram", "77")
    whatsapp = await an_account_of(person.id, "whatsapp", "79170000001")
    cap = Cap(messages=2, days=7)

    async def judged(account_id: int, key: str, at=NOW) -> str | None:
        await outbox.queue_service(account_id, "bulk", Content(text=key), dedupe_key=key, now=at)
        await db.execute(
            "UPDATE message SET priority = $1, topic = 'marketing' WHERE dedupe_key = $2", int(Priority.BULK), key
        )
        source = "telegram:4242" if account_id == telegram else "whatsapp:1000"
        [message] = await delivery.lease_messages(source, limit=1, now=at, cap=cap)
        verdict = refusal(message, cap)
        await db.execute(
            "UPDATE message SET status = $1, leased_until = NULL WHERE id = $2",
            "cancelled" if verdict else "sent",
            message.id,
        )
        return verdict

    assert [await judged(telegram, "one"), await judged(whatsapp, "two")] == [None, None]
    assert await judged(telegram, "three", NOW + timedelta(days=6)) == "frequency_cap"
    assert await judged(telegram, "four", NOW + timedelta(days=8)) is None


async def test_who_ends_advertising_in_their_only_messenger_gets_none_by_sms_either(shop):
    person = await a_customer(phone="+79161112233")
    telegram = await an_account_of(person.id, "telegram", "77")
    for granted in (True, False):
        answers = {Topic.MARKETING: granted}
        await answer_topics(telegram, answers, source="telegram", text_version="1 ru", actor=COMMAND, now=NOW)
    granted = await db.fetch_value(
        "SELECT granted FROM consent WHERE customer_id = $1 AND topic = 'marketing' ORDER BY id DESC LIMIT 1", person.id
    )
    assert granted is False
