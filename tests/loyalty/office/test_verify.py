"""Each proof is seen to find what it is there for."""

import pytest

from loyalty import db
from loyalty.customers.actions.accounts import link_account, unlink_account
from loyalty.customers.rules import CardProof, code_step
from loyalty.ids import new_key
from loyalty.office.queries.verify import verify
from loyalty.receipts.actions.sales import record_receipt
from loyalty.receipts.rules.sales import Line, ReceiptDraft, ReceiptSource
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_customer, a_hold, a_location, a_message, a_sale, an_account, assert_books_agree

pytestmark = pytest.mark.usefixtures("database")


class Shop:
    """Two people, the first with an account, who burnt by the code of a card and was told of it."""

    async def open(self):
        self.place = await a_location(burns=False)
        self.customer = (await a_customer(bonuses=200_00)).id
        self.other = (await a_customer(bonuses=200_00)).id
        self.account = await an_account(self.customer)
        proof = CardProof(self.customer, code_step(NOW))
        lines = (Line(300_00, category="coffee"), Line(200_00, category="cakes"))
        draft = ReceiptDraft(ReceiptSource.TILL, self.place, new_key(), self.customer, 500_00, 100_00, proof, lines)
        self.receipt = (await record_receipt(draft, actor=COMMAND, now=NOW)).receipt_id
        proof = CardProof(self.customer, code_step(NOW) + 1)
        self.hold = (await a_hold(self.customer, self.place, 500_00, 50_00, proof=proof)).id
        await a_message(self.account, "Hello")
        return self

    async def differences(self):
        return [found.describe() for found in (await verify(now=NOW)).differences]


@pytest.fixture
async def shop(database):
    shop = await Shop().open()
    await assert_books_agree()
    return shop


@pytest.mark.parametrize(
    ("planted", "told"),
    [
        (
            "UPDATE messenger_account SET is_active = false WHERE channel = 'telegram'",
            ["reach of customer by telegram {customer}: expected 0, found 1"],
        ),
        (
            "UPDATE customer_facts SET telegram = false",
            ["reach of customer by telegram {customer}: expected 1, found 0"],
        ),
        (
            "UPDATE customer_facts SET telegram = true",
            ["reach of customer by telegram {other}: expected 0, found 1"],
        ),
        (
            "UPDATE messenger_account SET is_default = false",
            ["default account of customer {customer}: expected 1, found 0"],
        ),
        ("DELETE FROM card_code_use", ["code of burn {receipt} (customer {customer}): expected 1, found 0"]),
        (
            "INSERT INTO card_code_use (customer_id, step, receipt_id) VALUES ({customer}, 7, {receipt})",
            ["code of burn {receipt} (customer {customer}): expected 1, found 2"],
        ),
        (
            "UPDATE receipt SET presence = 'relaxed' WHERE id = {receipt}",
            ["code of burn {receipt} (customer {customer}): expected 0, found 1"],
        ),
        (
            "UPDATE card_code_use SET customer_id = {other}",
            [
                "code of burn {receipt} (customer {customer}): expected 1, found 0",
                "code of burn {receipt} (customer {other}): expected 0, found 1",
            ],
        ),
        (
            "UPDATE message SET customer_id = {other} WHERE kind = 'receipt'",
            ["owner of message {message} (customer {customer}): expected {customer}, found {other}"],
        ),
        (
            "UPDATE receipt_line SET earned = earned + 1 WHERE position = 1",
            ["lines of receipt {receipt} (customer {customer}): expected {shares}, found {more}"],
        ),
        (
            "UPDATE receipt_line SET refunded = 7 WHERE position = 2",
            ["refunded of line of receipt {receipt} (customer {customer}): expected 0, found 7"],
        ),
        (
            "UPDATE receipt SET awards = '[]' WHERE id = {receipt}",
            ["awards of receipt {receipt} (customer {customer}): expected 2000, found 0"],
        ),
        (
            "UPDATE hold_lot SET amount = 40",
            ["amount of hold {hold} (customer {customer}): expected 5000, found 40"],
        ),
        (
            "UPDATE hold_lot SET amount = 1000000; UPDATE hold SET amount = 1000000",
            ["held of lot {lot} (customer {customer}): expected 10000, found 1000000"],
        ),
        (
            "UPDATE hold SET state = 'confirmed', receipt_id = {receipt}, amount = 10; UPDATE hold_lot SET amount = 10",
            ["burn of hold {hold} (customer {customer}): expected 10, found 10000"],
        ),
        ("DELETE FROM conversation", ["chat of account with messages {account}: expected 1, found 0"]),
    ],
)
async def test_what_was_tampered_with_is_found(shop, planted, told):
    message = await db.fetch_value("SELECT id FROM message WHERE kind = 'receipt'")
    lot = await db.fetch_value("SELECT lot_id FROM hold_lot")
    names = {**vars(shop), "message": message, "lot": lot, "shares": 62000, "more": 62001}
    for statement in planted.format(**names).split(";"):
        await db.execute(statement)
    assert sorted(await shop.differences()) == sorted(line.format(**names) for line in told)


async def test_what_was_said_stays_with_its_person_when_the_account_becomes_another_s(shop):
    await link_account(shop.account, shop.other, actor=COMMAND, now=NOW)
    await assert_books_agree()
    await a_sale(shop.other, shop.place, 300_00)
    await unlink_account(shop.account, actor=COMMAND, now=NOW)
    await assert_books_agree()


async def test_each_of_several_accounts_counts_and_one_is_the_default(shop):
    second = await an_account(shop.customer)
    await assert_books_agree()
    await db.execute("UPDATE messenger_account SET is_active = false WHERE id = $1", shop.account)
    await assert_books_agree()
    await unlink_account(shop.account, actor=COMMAND, now=NOW)
    await assert_books_agree()
    assert await db.fetch_value("SELECT is_default FROM messenger_account WHERE id = $1", second)


async def test_who_is_told_by_sms_alone_has_no_chat(shop):
    person = await a_customer()
    await db.execute(
        "INSERT INTO message_type (name, channels, own_first, texts, updated_at)"
        " VALUES ('receipt', 'sms', false, '{}', $1)",
        NOW,
    )
    await a_sale(person.id, shop.place, 100_00)
    told = "SELECT count(*) FROM message WHERE customer_id = $1 AND channel = 'sms'"
    assert await db.fetch_value(told, person.id) == 1
    await assert_books_agree()
