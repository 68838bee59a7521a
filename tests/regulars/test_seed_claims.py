"""The demo's fiscal receipts from the chat fit its receipts, chats and rules."""

from datetime import UTC, datetime

import pytest

from loyalty import db
from loyalty.receipts.actions.claims import settle_claims
from loyalty.receipts.queries.claims import claims
from loyalty.receipts.rules.claims import ClaimState, Refusal, Wait, read_qr
from loyalty.staff.rules import JOB
from regulars.seed import seed
from tests.builders import assert_books_agree

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


@pytest.fixture
async def crowd(database):
    await seed(400, now=NOW, report=lambda _: None)


async def test_there_are_claims_in_every_state_and_for_every_reason(crowd):
    await assert_books_agree(now=NOW)
    found = {state: (await claims(state))[0] for state in ClaimState}
    assert {state: len(views) for state, views in found.items()} == {
        ClaimState.WAITING: 10,
        ClaimState.APPROVED: 10,
        ClaimState.MATCHED: 5,
        ClaimState.REFUSED: 6,
    }
    assert {view.claim.reason for view in found[ClaimState.WAITING]} == set(Wait)
    assert {view.claim.reason for view in found[ClaimState.REFUSED]} >= {Refusal.NOT_OURS, Refusal.CREDITED_TO_ANOTHER}
    assert {view.staff_name is None for view in found[ClaimState.APPROVED]} == {True, False}
    like = [view for view in found[ClaimState.WAITING] if view.claim.reason == Wait.LOOKS_CREDITED]
    assert all(view.similar is not None for view in like)
    # Nothing is left that the house would have decided by itself.
    assert await settle_claims(actor=JOB, now=NOW, limit=100) == 0


async def test_every_claim_was_sent_in_its_customers_chat_before_it_was_decided(crowd):
    rows = await db.fetch(
        "SELECT c.*, (SELECT count(*) FROM message m WHERE m.customer_id = c.customer_id"
        " AND m.created_at < c.created_at AND m.direction = 'in'"
        " AND m.created_at > c.created_at - INTERVAL '5 seconds') AS sent,"
        " EXISTS (SELECT FROM media f JOIN message m ON m.id = f.message_id WHERE f.id = c.media_id"
        " AND m.kind = 'photo' AND m.customer_id = c.customer_id) AS has_photo FROM fiscal_claim c"
    )
    for row in rows:
        assert row["sent"] == 1
        assert row["has_photo"] == (row["source"] == "photo")
        assert row["sold_at"] < row["created_at"] <= (row["decided_at"] or NOW)
    told = await db.fetch_value("SELECT count(*) FROM message WHERE kind = 'claim_refused' AND sent_at IS NOT NULL")
    assert told == sum(row["state"] == "refused" for row in rows)


async def test_the_codes_in_the_chats_say_what_the_claims_say(crowd):
    rows = await db.fetch(
        "SELECT c.total, c.fn, m.content->>'text' AS text FROM fiscal_claim c JOIN message m"
        " ON m.customer_id = c.customer_id AND m.content->>'text' LIKE 't=%' WHERE c.source = 'text'"
    )
    assert rows
    for row in rows:
        qr = read_qr(row["text"], 2)
        assert qr is not None
        assert (qr.total, qr.key.fn) == (row["total"], row["fn"])
