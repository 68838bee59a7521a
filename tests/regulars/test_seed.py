from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from bot.texts import say
from loyalty import db
from loyalty.bonuses.actions.manual import adjust
from loyalty.bonuses.actions.once_only import grant_birthdays, person_hash
from loyalty.bonuses.actions.referrals import settle_referrals, undo_referrals
from loyalty.bonuses.actions.tiers import review_tiers
from loyalty.bonuses.earning import RULES
from loyalty.bonuses.rules import HoldState
from loyalty.campaigns.queries.automations import automations, runs
from loyalty.campaigns.rules.automations import RunState
from loyalty.conversations.content import Content
from loyalty.conversations.queries import messages, waiting_chats
from loyalty.customers.rules import normalise_phone
from loyalty.errors import Refused
from loyalty.ids import new_key
from loyalty.receipts.actions.holds import lapse_due
from loyalty.receipts.actions.refunds import refund_receipt
from loyalty.receipts.rules.sales import Recorded
from loyalty.shop.queries import locations, programme_versions, shop
from loyalty.staff.actions import sign_in
from loyalty.staff.rules import COMMAND, LANGUAGES
from loyalty.wording import bonuses_in_words, money
from regulars.seed import DEMO_LOGINS, seed
from regulars.seed.chats import MOST_TOLD
from regulars.seed.desk import CHATS as ON_THE_DESK
from regulars.seed.doubles import NEW_NUMBERS
from regulars.seed.goods import BEANS, GIFT_CARDS
from regulars.seed.names import people, username_of
from regulars.seed.records import Receipt
from regulars.seed.told import Chain, receipt_content
from regulars.seed.words import ANSWERED, WAITING
from tests.builders import a_customer, a_sale, assert_books_agree
from tests.conftest import refresh

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
STANDS = """
    SELECT (SELECT count(*) FROM customer) = $1 AND EXISTS (SELECT FROM staff_member WHERE email = $2)
"""


async def stands(opened_database: Any, customers: int) -> None:
    """A demo of so many people: the one that the last test of this worker left as it was, or a new one."""
    if not await opened_database.fetchval(STANDS, customers, DEMO_LOGINS[0][0]):
        await refresh(opened_database)
        await seed(customers, now=NOW, report=lambda _: None)


@pytest.fixture
async def demo(opened_database):
    """To be looked at; who changes it asks for `own_demo`."""
    await stands(opened_database, 120)


@pytest.fixture
async def own_demo(opened_database):
    await stands(opened_database, 120)
    yield
    await refresh(opened_database)


@pytest.fixture
async def crowd(opened_database):
    """Enough people for what happens to few."""
    await stands(opened_database, 400)


async def test_the_demo_shop_agrees_with_itself_and_lets_its_people_in(database):
    said: list[str] = []
    await seed(120, now=NOW, report=said.append)
    await assert_books_agree(now=NOW)
    assert said == ["120 of 120 customers"]
    kinds = {row["kind"] for row in await db.fetch("SELECT DISTINCT kind FROM bonus_entry")}
    assert {"earn", "burn", "expire", "grant"} <= kinds
    for email, password, role in DEMO_LOGINS:
        assert (await sign_in(email, password, NOW)).role == role


async def test_most_people_came_by_the_messenger_some_later_and_some_not_at_all(demo):
    rows = await db.fetch(
        "SELECT c.created_via, a.id IS NOT NULL AS linked, a.is_active, c.phone_verified_at, a.linked_at, c.created_at,"
        " c.created_by_id, EXISTS (SELECT FROM registration_step WHERE customer_id = c.id AND step = 'phone_typed')"
        " AS is_unproven FROM customer c LEFT JOIN LATERAL (SELECT * FROM messenger_account WHERE customer_id = c.id"
        " AND channel IN ('telegram', 'whatsapp') ORDER BY linked_at LIMIT 1) a ON true"
        " WHERE coalesce(c.phone, '') <> ALL($1::text[])",
        list(NEW_NUMBERS),
    )
    came = [row for row in rows if row["created_via"] in {"telegram", "whatsapp"}]
    later = [row for row in rows if row["created_via"] == "cashier" and row["linked"]]
    assert 0.5 < len(came) / len(rows) < 0.7
    assert 0.05 < len(later) / len(rows) < 0.25
    assert all(row["linked_at"] == row["created_at"] and row["created_by_id"] is None for row in came)
    assert all(row["linked_at"] > row["created_at"] and row["created_by_id"] is not None for row in later)
    assert all((row["phone_verified_at"] is not None) == (row["linked"] and not row["is_unproven"]) for row in rows)
    assert {row["is_active"] for row in came} == {True, False}


async def test_addresses_are_each_their_own_and_none_that_the_simulator_draws(demo):
    rows = await db.fetch("SELECT address FROM messenger_account WHERE channel = 'telegram'")
    addresses = [int(row["address"]) for row in rows]
    assert len(set(addresses)) == len(addresses)
    assert min(addresses) >= 10**9
    assert max(addresses) < 10**10


async def test_registrations_have_their_steps_in_order_and_their_consent(demo):
    rows = await db.fetch(
        "SELECT customer_id, array_agg(step ORDER BY id) AS steps, array_agg(at ORDER BY id) AS times"
        " FROM registration_step WHERE via = 'telegram' GROUP BY 1"
    )
    told = ["started", "language", "terms", "offers", "phone", "name", "birthday", "registered"]
    seen = {tuple(row["steps"]) for row in rows}
    assert tuple(told) in seen
    assert all(list(steps) == [step for step in told if step in steps] for steps in seen)
    assert all(row["times"] == sorted(row["times"]) for row in rows)
    versions = await db.fetch("SELECT DISTINCT text_version FROM consent WHERE source = 'telegram'")
    assert {row["text_version"] for row in versions} == {f"{n} {code}" for n in (1, 2, 3) for code in LANGUAGES}
    later = "SELECT count(*) FROM consent WHERE topic = 'marketing' AND text_version ~ '^[23] '"
    assert await db.fetch_value(later) == 0


async def test_everything_in_the_chats_is_over_and_belongs_to_somebody(demo):
    assert {(row["direction"], row["status"]) for row in await db.fetch("SELECT direction, status FROM message")} == {
        ("in", "received"),
        ("log", "received"),
        ("out", "sent"),
        ("out", "delivered"),
        ("out", "read"),
        ("out", "failed"),
        ("out", "unknown"),
    }
    late = "SELECT count(*) FROM message WHERE created_at > $1 OR sent_at > $1 OR sent_at < created_at"
    assert await db.fetch_value(late, NOW) == 0
    assert await db.fetch_value("SELECT count(*) FROM bonus_entry WHERE at > $1", NOW) == 0
    strangers = (
        "SELECT count(*) FROM message m LEFT JOIN messenger_account a ON a.id = m.account_id"
        " AND a.customer_id IS NOT DISTINCT FROM m.customer_id WHERE a.id IS NULL"
    )
    assert await db.fetch_value(strangers) == 0
    backwards = (
        "SELECT count(*) FROM (SELECT created_at < lag(created_at) OVER (PARTITION BY account_id ORDER BY id) AS back"
        " FROM message) chat WHERE back"
    )
    assert await db.fetch_value(backwards) == 0
    last = "SELECT account_id, max(created_at) AS at FROM message GROUP BY 1"
    wrong = f"SELECT count(*) FROM conversation c FULL JOIN ({last}) m USING (account_id) WHERE at <> last_message_at"
    assert await db.fetch_value(wrong.replace("WHERE", "WHERE at IS NULL OR last_message_at IS NULL OR")) == 0


async def test_a_few_chats_wait_for_an_answer_to_a_question_of_today_or_yesterday(demo):
    chats = await waiting_chats()
    questions = {question for asked in WAITING.values() for question in asked}
    on_the_desk = {act.text for _, *acts in ON_THE_DESK for act in acts if act.does == "said"}
    assert len({chat.last_text for chat in chats}) == len(chats) == 7
    assert len(questions & {chat.last_text for chat in chats}) == 5
    assert {chat.channel for chat in chats} == {"telegram", "whatsapp"}
    for chat in chats:
        assert chat.last_text in questions | on_the_desk
        assert timedelta() < NOW - chat.waiting_since < timedelta(hours=28)


async def test_the_last_purchases_were_told_with_the_sums_of_their_receipts(demo):
    told = await db.fetch(
        "SELECT m.content->>'text' AS text, m.created_at = r.at AS at_once, r.*, r.answer::json->>'balance' AS balance,"
        " c.language, l.name AS place FROM message m JOIN receipt r ON m.dedupe_key = CASE r.kind WHEN 'sale'"
        " THEN 'receipt:' ELSE 'refund:' END || r.id JOIN customer c ON c.id = r.customer_id"
        " JOIN location l ON l.id = r.location_id WHERE m.kind IN ('receipt', 'receipt_refunded')"
    )
    assert {row["kind"] for row in told} == {"sale", "refund"}
    assert {row["language"] for row in told} == {"ru", "uk", "en"}
    for row in told:
        language = row["language"]
        assert row["at_once"]
        assert money(row["total"], "RUB", 2, language) in row["text"]
        assert row["place"] in row["text"]
        assert bonuses_in_words(max(0, int(row["balance"])), language) in row["text"]
        for amount in (row["burnt"], row["earned"]):
            assert not amount or bonuses_in_words(amount, language) in row["text"]
    news = "FROM message WHERE priority = 1 AND kind IN ('receipt', 'receipt_refunded') AND instead_of_id IS NULL"
    assert len(told) == await db.fetch_value(f"SELECT count(*) {news}")
    most = f"SELECT max(many) FROM (SELECT count(*) AS many {news} GROUP BY account_id) chat"
    assert await db.fetch_value(most) == MOST_TOLD


async def test_gifts_and_falls_of_tiers_are_told_once_and_of_those_who_can_be_told(demo):
    keys = await db.fetch(
        "SELECT m.kind, e.id IS NOT NULL AS given FROM message m LEFT JOIN bonus_entry e"
        " ON e.operation_id = m.dedupe_key AND e.customer_id = m.customer_id AND e.at = m.created_at"
        " WHERE m.kind IN ('birthday', 'referral', 'invited', 'tier_falling') AND m.instead_of_id IS NULL"
    )
    assert {(row["kind"], row["given"]) for row in keys} == {
        ("birthday", True),
        ("referral", True),
        ("invited", True),
        ("tier_falling", False),
    }
    untold = (
        "SELECT count(*) FROM tier_change t JOIN messenger_account a ON a.customer_id = t.customer_id"
        " AND a.channel IN ('telegram', 'whatsapp')"
        " WHERE t.reason = 'window' AND a.linked_at < t.at - INTERVAL '15 days' AND a.is_active AND NOT EXISTS"
        " (SELECT FROM message WHERE kind = 'tier_falling' AND customer_id = t.customer_id AND created_at < t.at)"
    )
    assert await db.fetch_value(untold) == 0


async def test_questions_at_the_till_are_in_the_chat_with_their_answers(demo):
    rows = await db.fetch(
        "SELECT h.state, h.amount, c.language, m.content->>'text' AS text, (SELECT content->>'text' FROM message"
        " WHERE account_id = m.account_id AND kind = 'reply' AND created_at BETWEEN m.created_at"
        " AND m.created_at + INTERVAL '1 minute' ORDER BY id DESC LIMIT 1) AS answer"
        " FROM message m JOIN hold h ON 'hold:' || h.id = m.dedupe_key JOIN customer c ON c.id = h.customer_id"
    )
    assert {row["state"] for row in rows} >= {"asked", "confirmed", "declined"}
    for row in rows:
        language, amount = row["language"], bonuses_in_words(row["amount"], row["language"])
        said = {
            "confirmed": say(language, "hold.agreed", amount=amount),
            "declined": say(language, "hold.declined"),
        }
        assert amount in row["text"]
        assert row["answer"] == said.get(row["state"])
    silent = (
        "SELECT count(*) FROM hold h LEFT JOIN message m ON m.dedupe_key = 'hold:' || h.id"
        " WHERE h.presence = 'chat' AND m.id IS NULL"
    )
    assert await db.fetch_value(silent) == 0


async def test_a_blocked_account_hears_nothing_and_shows_no_code(demo):
    blocked = "SELECT count(*) FROM messenger_account WHERE NOT is_active"
    assert await db.fetch_value(blocked) > 0
    unreachable = (
        "SELECT count(*) FROM receipt r WHERE r.presence = 'code' AND NOT EXISTS (SELECT FROM messenger_account a"
        " WHERE a.customer_id = r.customer_id AND a.linked_at <= r.at)"
    )
    assert await db.fetch_value(unreachable) == 0
    assert await db.fetch_value(
        "SELECT count(*) FROM messenger_account a JOIN conversation c ON c.account_id = a.id"
        " WHERE NOT a.is_active AND c.waiting_since IS NOT NULL"
    ) == 0  # fmt: skip


async def test_burns_are_proven_where_the_location_asks_for_it(demo):
    rows = await db.fetch(
        "SELECT DISTINCT r.presence, l.burns_without_code FROM receipt r JOIN location l ON l.id = r.location_id"
        " WHERE r.kind = 'sale' AND r.burnt > 0"
    )
    proofs = {("code", False), ("chat", False), ("relaxed", True)}
    assert {(row["presence"], row["burns_without_code"]) for row in rows} == proofs
    assert await db.fetch_value("SELECT count(*) FROM receipt WHERE burnt = 0 AND presence IS NOT NULL") == 0


def _as_seeded(kind: str, location_id: int, done: Recorded) -> Receipt:
    return Receipt(NOW, kind, location_id, 0, done.total, done.paid, done.burnt, done.earned, [], done.balance)


async def _told(key: str, receipt_id: int) -> Content:
    body = await db.fetch_value("SELECT content FROM message WHERE dedupe_key = $1", f"{key}:{receipt_id}")
    return Content.from_body(db.from_json(body))


def _kept(content: Content) -> Content:
    """As it is read again."""
    return Content.from_body(content.to_body())


async def test_a_registration_reads_as_the_bot_held_it(demo):
    row = await db.fetch_row(
        "SELECT a.id, a.takes_marketing, c.name, c.birthday FROM messenger_account a"
        " JOIN customer c ON c.id = a.customer_id WHERE c.created_via = 'telegram' AND c.language = 'ru'"
        " AND a.channel = 'telegram'"
        " AND a.name = c.name AND birthday IS NOT NULL"
        # Who has stopped advertising since had agreed to it then.
        " AND (a.takes_marketing OR c.id % 5 = 0)"
        " AND (SELECT count(*) FROM message WHERE account_id = a.id) < 50 LIMIT 1"
    )
    assert row is not None
    said, _ = await messages([row["id"]])
    offers = say("ru", "registration.offers_yes" if row["takes_marketing"] else "registration.offers_no")
    spoken = [(message.kind, message.content.text.splitlines()[0] if message.content.text else "") for message in said]
    assert spoken[:17] == [
        ("start", "/start"),
        ("reply", "Ладно, кофе: бонусы за ваши покупки."),
        ("button", "Русский"),
        ("reply", say("ru", "registration.terms", shop="Ладно, кофе").splitlines()[0]),
        ("button", "Согласен"),
        ("reply", say("ru", "registration.offers")),
        ("button", offers),
        ("reply", say("ru", "registration.phone")),
        ("contact", ""),
        ("reply", say("ru", "registration.phone_thanks")),
        ("reply", say("ru", "registration.name")),
        ("button", row["name"]),
        ("reply", say("ru", "registration.birthday")),
        ("text", f"{row['birthday']:%d.%m.%Y}"),
        ("reply", say("ru", "registration.done", name=row["name"].split()[0])),
        *spoken[15:17],
    ]


async def test_a_base_with_customers_is_not_seeded(database):
    await a_customer()
    with pytest.raises(Refused):
        await seed(10, now=NOW, report=lambda _: None)


async def test_lately_most_sales_have_lines_and_all_earn_by_the_version_of_their_moment(demo):
    versions = await programme_versions()
    assert [version.programme.excluded_categories for version in versions][:2] == [(GIFT_CARDS,), ()]
    rows = await db.fetch(
        "SELECT r.at, r.programme_id, count(l.position) AS lines FROM receipt r"
        " LEFT JOIN receipt_line l ON l.receipt_id = r.id WHERE r.kind = 'sale' GROUP BY r.id"
    )
    for row in rows:
        assert row["programme_id"] == next(version.id for version in versions if version.effective_from <= row["at"])
    new = [row["lines"] for row in rows if row["programme_id"] == versions[0].id]
    assert 0.7 < sum(lines > 0 for lines in new) / len(new) < 1
    assert max(new) == 4
    kinds = "SELECT DISTINCT award->>'rule' AS rule FROM receipt, jsonb_array_elements(awards) award"
    assert {row["rule"] for row in await db.fetch(kinds)} == {"tier_percent", *RULES.keys() - {"location"}}
    by_card = "SELECT sum(earned + burnt)::int FROM receipt_line WHERE category = $1 AND total > 0"
    assert await db.fetch_value(by_card, GIFT_CARDS) == 0
    assert await db.fetch_value(by_card, BEANS) > 0


async def test_gifts_leave_the_tombstones_of_the_house(demo):
    rows = await db.fetch(
        "SELECT o.person, o.kind, o.period, e.customer_id, e.operation_id FROM once_only_bonus o"
        " JOIN bonus_entry e ON e.id = o.entry_id JOIN customer c ON c.id = e.customer_id"
        # Who has another number since had it under the old one.
        " WHERE (o.kind <> 'welcome' OR e.customer_id < 5) AND coalesce(c.phone, '') <> ALL($1::text[])",
        list(NEW_NUMBERS),
    )
    assert {row["kind"] for row in rows} == {"welcome", "birthday", "referral"}
    for row in rows:
        whose, person = row["customer_id"], await person_hash(row["customer_id"])
        assert row["person"] == person
        keys = {"birthday": f"birthday:{whose}:{row['period']}", "referral": f"invited:{whose}"}
        assert row["operation_id"] == keys.get(row["kind"], f"welcome:{person}")


def test_made_up_people_have_phones_of_their_own_that_could_be_real():
    made = people(Random(1), 2000)
    assert len({person.phone for person in made}) == 2000
    odd = [person.phone for person in made if normalise_phone(person.phone, "RU") != person.phone]
    assert odd == []
    usernames = {username_of(person, number) for number, person in enumerate(made)}
    assert len(usernames) == 2000
    assert all(5 <= len(name) <= 32 and name.isascii() and name.replace("_", "").isalnum() for name in usernames)


def test_people_ask_in_each_language():
    assert set(ANSWERED) == set(WAITING) == set(LANGUAGES)


async def test_sales_to_people_not_registered_stand_in_every_state(demo):
    states = {row["state"] for row in await db.fetch("SELECT state FROM waiting_sale")}
    assert states == {"waiting", "credited", "withdrawn", "lapsed"}
    await assert_books_agree(now=NOW)


async def test_the_house_says_of_a_sale_and_its_refund_what_the_seed_says(own_demo):
    chain = Chain(await shop(), {place.id: place.name for place in await locations()}, ())
    relaxed = next(place.id for place in await locations() if place.burns_without_code)
    for language in LANGUAGES:
        customer_id = await db.fetch_value(
            "SELECT c.id FROM customer c JOIN customer_facts f ON f.customer_id = c.id"
            " WHERE telegram AND language = $1 AND f.tier_id = 0 AND f.sold < 500000 AND f.discount_bp = 0 LIMIT 1",
            language,
        )
        name = await db.fetch_value("SELECT name FROM customer WHERE id = $1", customer_id)
        await adjust(customer_id, 150_00, "gift", key=new_key(), actor=COMMAND, now=NOW)
        for total, burn, tier in ((2_000_00, 0, ""), (2_000_00, 150_00, ""), (12_000_00, 0, "Свой")):
            sale = await a_sale(customer_id, relaxed, total, burn=burn, now=NOW)
            told = _as_seeded("sale", relaxed, sale)
            told.tier = tier
            assert await _told("receipt", sale.receipt_id) == _kept(receipt_content(told, name, language, chain))
            if burn:
                back = await refund_receipt(sale.receipt_id, None, key=new_key(), actor=COMMAND, now=NOW)
                told = _as_seeded("refund", relaxed, back)
                assert await _told("refund", back.receipt_id) == _kept(receipt_content(told, name, language, chain))
    await assert_books_agree(now=NOW)


async def test_new_ids_follow_those_of_the_seed(own_demo):
    for table in ("messenger_account", "message"):
        highest = await db.fetch_value(f"SELECT max(id) FROM {table}")
        assert await db.fetch_value(f"SELECT nextval('{table}_id_seq')") == highest + 1


async def test_the_sweeps_find_nothing_left_to_give_or_to_take(own_demo):
    assert await grant_birthdays(actor=COMMAND, now=NOW) == 0
    assert await settle_referrals(actor=COMMAND, now=NOW) == 0
    assert await undo_referrals(actor=COMMAND, now=NOW) == 0
    fallen = "SELECT count(*) FROM tier_change WHERE at = $1"
    await review_tiers(actor=COMMAND, now=NOW)
    assert await db.fetch_value(fallen, NOW) == 0
    await assert_books_agree(now=NOW)


async def test_refunds_are_whole_and_in_part_and_some_left_a_debt(crowd):
    rows = await db.fetch(
        "SELECT DISTINCT back.total = sale.total AS whole, EXISTS (SELECT FROM receipt_line"
        " WHERE receipt_id = back.id) AS by_line FROM receipt back JOIN receipt sale ON sale.id = back.original_id"
    )
    assert {(row["whole"], row["by_line"]) for row in rows} == {(True, False), (False, False), (False, True)}
    assert await db.fetch_value("SELECT count(*) FROM bonus_entry WHERE balance_after < 0 AND kind = 'reverse_earn'")


async def test_tiers_fell_and_were_given_by_hand(crowd):
    rows = await db.fetch("SELECT DISTINCT reason, staff_id IS NOT NULL AS by_staff FROM tier_change")
    assert {("threshold", False), ("window", False), ("by_hand", True)} <= {
        (row["reason"], row["by_staff"]) for row in rows
    }
    assert await db.fetch_value("SELECT count(*) FROM customer_facts WHERE discount_bp > 0") > 1
    assert await db.fetch_value("SELECT count(*) FROM receipt WHERE discount > 0") > 0


async def test_invitations_wait_are_paid_to_both_or_say_why_not(crowd):
    rows = await db.fetch("SELECT * FROM referral")
    assert {row["state"] for row in rows} >= {"paid", "waiting"}
    for row in rows:
        gifts = (row["receipt_id"], row["entry_id"], row["invitee_entry_id"])
        assert (row["state"] == "paid") == all(gifts) == any(gifts)
        assert (row["state"] == "refused") == (row["reason"] is not None)


async def test_bonuses_were_set_aside_with_every_outcome_and_are_just_now(crowd):
    rows = await db.fetch(
        "SELECT h.*, h.expires_at > $1 AS live, r.presence AS proven, r.at AS sold_at FROM hold h"
        " LEFT JOIN receipt r ON r.id = h.receipt_id",
        NOW,
    )
    assert {row["state"] for row in rows} == set(HoldState)
    assert sorted(row["state"] for row in rows if row["live"]) == ["asked", "held"]
    for row in rows:
        if row["state"] == "confirmed":
            assert row["proven"] == row["presence"]
            assert row["created_at"] < row["sold_at"] < row["expires_at"]
    assert await lapse_due(now=NOW) == 0


async def test_three_automations_ran_in_the_last_weeks_and_somebody_went_to_the_end(demo):
    found = await automations(now=NOW)
    assert [(one.draft.name, one.is_on) for one in found] == [
        ("Вернуть ушедших", True),
        ("Второй визит", True),
        ("Знакомство", True),
    ]
    begun = {one.draft.name: (await runs(one.id))[0] for one in found}
    assert sum(len(told) for told in begun.values()) >= 3
    assert any(run.state is RunState.DONE for told in begun.values() for run in told)
    assert all(run.started_at < NOW for told in begun.values() for run in told)
    assert await db.fetch_value("SELECT count(*) FROM bonus_entry WHERE event = 'automation'") >= 1
