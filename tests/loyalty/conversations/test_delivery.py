"""What becomes of messages: other accounts, the night, consents, reports that come in any order."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from loyalty import db
from loyalty.conversations.actions import delivery, outbox
from loyalty.conversations.actions.arrivals import dismiss_update, replay_update, store_updates
from loyalty.conversations.actions.progress import note_progress
from loyalty.conversations.content import Content
from loyalty.conversations.kinds import PATIENT
from loyalty.conversations.queries.channels import channel_states, failed_updates
from loyalty.conversations.queries.recipients import recipient_of
from loyalty.conversations.queries.sending import template_for
from loyalty.conversations.rules import (
    LEASE,
    Arrived,
    Leased,
    PauseReason,
    Priority,
    Quiet,
    Status,
    night_ends,
    refusal,
)
from loyalty.customers.actions.accounts import know_account, link_account, make_default, set_account_active
from loyalty.customers.actions.profile import set_consent
from loyalty.customers.rules import Topic
from loyalty.errors import NotFound, Refused
from loyalty.shop.actions import update_shop
from loyalty.staff.rules import COMMAND
from tests.builders import NOW, a_customer, a_location

MOSCOW = "Europe/Moscow"  # three hours ahead all year
TELEGRAM, WHATSAPP = "telegram:4242", "whatsapp:1000"


async def an_account_of(customer_id: int, channel: str, address: str) -> int:
    account = await know_account(channel, address, name="Мария", username=None, language="ru", now=NOW)
    await link_account(account.id, customer_id, actor=COMMAND, now=NOW)
    return account.id


@pytest.fixture
async def shop(database) -> None:
    """Ours, on Moscow time."""
    await update_shop(
        name="Ладно, кофе",
        currency="RUB",
        region="RU",
        language="ru",
        time_zone=MOSCOW,
        actor=COMMAND,
        now=NOW,
    )


@pytest.fixture
async def maria(shop):
    """A customer in both messengers; Telegram is the one we write to."""
    customer = await a_customer()
    telegram = await an_account_of(customer.id, "telegram", "77")
    whatsapp = await an_account_of(customer.id, "whatsapp", "79170000001")
    return customer.id, telegram, whatsapp


async def queue(
    account_id: int, key: str = "one", priority: Priority = Priority.SERVICE, topic: str = "service"
) -> int:
    content = Content(text=key, values={"amount": "5"})
    await outbox.queue_service(account_id, "receipt", content, dedupe_key=key, now=NOW)
    await db.execute("UPDATE message SET priority = $1, topic = $2 WHERE dedupe_key = $3", int(priority), topic, key)
    message_id: int = await db.fetch_value("SELECT id FROM message WHERE dedupe_key = $1", key)
    return message_id


async def lease(channel: str = "telegram", now: datetime = NOW) -> list[Leased]:
    return await delivery.lease_messages({"telegram": TELEGRAM, "whatsapp": WHATSAPP}[channel], limit=10, now=now)


async def rows() -> list[tuple[str, str, str | None]]:
    found = await db.fetch("SELECT channel, status, reason FROM message ORDER BY id")
    return [(row["channel"], row["status"], row["reason"]) for row in found]


# ------------------------------------------------------------------------------------------- other accounts


async def test_what_fails_in_one_messenger_goes_through_the_next_once(maria):
    _, telegram, whatsapp = maria
    message = await queue(telegram)
    await lease()
    assert await delivery.settle_failed(message, "blocked", now=NOW)
    assert not await delivery.settle_failed(message, "blocked", now=NOW)
    assert await rows() == [("telegram", "failed", "blocked"), ("whatsapp", "queued", None)]
    [instead] = await lease("whatsapp")
    assert (instead.account_id, instead.content.text, instead.content.values) == (whatsapp, "one", {"amount": "5"})
    # Nowhere is left to go.
    assert not await delivery.settle_failed(instead.id, "gone", now=NOW)
    assert len(await rows()) == 2


async def test_what_its_person_does_not_want_goes_nowhere_else(maria):
    _, telegram, _ = maria
    message = await queue(telegram, priority=Priority.BULK, topic="marketing")
    await lease()
    assert not await delivery.settle_failed(message, "no_consent", falls_back=False, now=NOW)
    assert await rows() == [("telegram", "failed", "no_consent")]


async def test_a_reply_stays_in_its_chat(maria):
    _, telegram, _ = maria
    message = await queue(telegram, priority=Priority.REPLY)
    await lease()
    assert not await delivery.settle_failed(message, "blocked", now=NOW)
    assert await rows() == [("telegram", "failed", "blocked")]


@pytest.mark.parametrize("column", ["is_active", "takes_service"])
async def test_an_account_that_takes_nothing_is_no_way_out(maria, column):
    _, telegram, whatsapp = maria
    message = await queue(telegram)
    await lease()
    await db.execute(f"UPDATE messenger_account SET {column} = false WHERE id = $1", whatsapp)
    assert not await delivery.settle_failed(message, "blocked", now=NOW)


async def test_we_write_to_the_default_account_and_else_to_one_that_works(maria):
    customer_id, telegram, whatsapp = maria
    assert (place := await recipient_of(customer_id, "receipt")) is not None
    assert place.account_id == telegram
    await make_default(whatsapp, actor=COMMAND, now=NOW)
    assert (place := await recipient_of(customer_id, "receipt")) is not None
    assert place.account_id == whatsapp
    await set_account_active(whatsapp, is_active=False, now=NOW)
    assert (place := await recipient_of(customer_id, "receipt")) is not None
    assert place.account_id == telegram


# ----------------------------------------------------------------------------------------------- queues


async def test_a_lease_reads_as_much_however_many_wait(maria):
    _, telegram, _ = maria
    await db.execute(CAMPAIGN, telegram, 100)
    await db.execute("UPDATE message SET status = 'sent', sent_at = now()")
    # Nothing waits, as far as the statistics will know.
    await db.execute("ANALYZE message")
    await db.execute(CAMPAIGN, telegram, 300)
    few = await pages_read()
    await db.execute(CAMPAIGN, telegram, 3_000)
    assert await pages_read() < few * 3


async def test_the_queue_is_never_read_by_account_and_sorted(database):
    arguments = (TELEGRAM, int(Priority.BULK), 10, NOW + LEASE, PATIENT, NOW, 0, 0)
    transaction = database.transaction()
    await transaction.start()
    # Whatever the planner believes, the index by account is no way to what is queued.
    await database.execute("DROP INDEX message_queued; SET LOCAL enable_seqscan = off")
    plan = [row["QUERY PLAN"] for row in await database.fetch(f"EXPLAIN {delivery.LEASE_SOME}", *arguments)]
    await transaction.rollback()
    assert [line for line in plan if "message_pending on message before" in line]
    assert not [line for line in plan if "message_pending on message m " in line]


CAMPAIGN = """
WITH account AS (
    INSERT INTO messenger_account (channel, address, name, language, is_active, is_default, created_at)
    SELECT 'telegram', 'c' || $2::int || '-' || number, '', 'ru', true, false, now()
    FROM generate_series(1, $2::int) number RETURNING id
)
INSERT INTO message (account_id, channel, direction, kind, content, status, priority, topic, dedupe_key, created_at,
    due_at, attempts)
SELECT id, 'telegram', 'out', 'bulk', '{"text": "one"}', 'queued', 2, 'service', 'campaign:' || id, now(), now(), 0
FROM (SELECT id FROM account UNION SELECT $1::int) each
ON CONFLICT (dedupe_key) DO NOTHING
"""


async def pages_read() -> int:
    """Of the base's pages, for a lease of ten."""
    arguments = (TELEGRAM, int(Priority.BULK), 10, NOW + LEASE, PATIENT, NOW, 0, 0)
    async with db.transaction():
        [row] = await db.fetch(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {delivery.LEASE_SOME}", *arguments)
        await db.execute("UPDATE message SET status = 'queued', leased_until = NULL WHERE status = 'leased'")
    [plan] = db.from_json(row["QUERY PLAN"])
    read: int = plan["Plan"]["Shared Hit Blocks"] + plan["Plan"]["Shared Read Blocks"]
    return read


async def test_each_messenger_has_its_own_queue_and_a_paused_one_keeps_its_messages(maria):
    _, telegram, whatsapp = maria
    await queue(telegram, "to telegram")
    await queue(whatsapp, "to whatsapp")
    [held] = await lease("telegram")
    await delivery.pause_channel(TELEGRAM, PauseReason.RATE, seconds=60, now=NOW)
    assert await delivery.settle_and_begin([], [held.id], TELEGRAM, now=NOW) == set()
    await queue(telegram, "more to telegram", Priority.REPLY)
    assert await lease("telegram") == []
    assert (await rows())[0] == ("telegram", "delayed", None)
    [other] = await lease("whatsapp")
    assert await delivery.settle_and_begin([], [other.id], WHATSAPP, now=NOW) == {other.id}
    assert await delivery.queue_delayed(now=NOW + timedelta(seconds=59)) == 0
    later = NOW + timedelta(seconds=60)
    assert await delivery.queue_delayed(now=later) == 1
    assert [message.attempts for message in await lease("telegram", later)] == [1, 1]


async def test_a_chat_that_waits_keeps_its_order_and_the_night_holds_up_nothing(maria):
    _, telegram, _ = maria
    first = await queue(telegram, "first")
    await queue(telegram, "second")
    await lease()
    await delivery.settle_postponed(first, "no_answer", until=NOW + timedelta(hours=1))
    assert await lease() == []
    await db.execute("UPDATE message SET reason = 'quiet_hours' WHERE id = $1", first)
    assert [message.content.text for message in await lease()] == ["second"]


async def test_senders_are_counted_until_they_fall_silent(shop):
    assert await delivery.pulse("one", TELEGRAM, now=NOW) == 1
    assert await delivery.pulse("two", TELEGRAM, now=NOW) == 2
    assert await delivery.pulse("other", WHATSAPP, now=NOW) == 1
    assert [state.senders for state in await channel_states(now=NOW)] == [2, 1]
    await delivery.fall_silent("one")
    assert await delivery.pulse("two", TELEGRAM, now=NOW) == 1
    assert await delivery.pulse("three", TELEGRAM, now=NOW + timedelta(minutes=1)) == 1


# ------------------------------------------------------------------------------- what may be written, and when


async def test_advertising_wants_a_yes_and_a_survey_no_no(maria):
    customer_id, telegram, _ = maria

    async def judged(topic: str) -> str | None:
        await queue(telegram, f"{topic} {NOW}", Priority.BULK, topic)
        [message] = await lease()
        await db.execute("UPDATE message SET status = 'cancelled', leased_until = NULL, dedupe_key = NULL")
        return refusal(message)

    async def say(topic: Topic, *, granted: bool) -> None:
        await set_consent(
            customer_id, topic, granted=granted, source="telegram", text_version="1", actor=COMMAND, now=NOW
        )

    assert [await judged(topic) for topic in ("service", "marketing", "surveys")] == [None, "no_consent", None]
    await say(Topic.MARKETING, granted=True)
    await say(Topic.SURVEYS, granted=False)
    assert [await judged(topic) for topic in ("service", "marketing", "surveys")] == [None, None, "no_consent"]
    await db.execute("UPDATE messenger_account SET takes_marketing = false WHERE id = $1", telegram)
    assert await judged("marketing") == "not_taken"


@pytest.mark.parametrize(
    ("hour", "quiet", "ends"),
    [
        (18, Quiet(22, 9), None),
        (19, Quiet(22, 9), "2026-06-02 06:00"),
        (23, Quiet(22, 9), "2026-06-02 06:00"),
        (5, Quiet(22, 9), "2026-06-01 06:00"),
        (6, Quiet(22, 9), None),
        (10, Quiet(13, 15), "2026-06-01 12:00"),
        (12, Quiet(13, 15), None),
        (3, Quiet(0, 0), None),
    ],
)
def test_the_night_is_by_the_clock_of_whoever_is_written_to(hour, quiet, ends):
    now = datetime(2026, 6, 1, hour, tzinfo=UTC)
    found = night_ends(now, MOSCOW, quiet)
    assert (found and found.strftime("%Y-%m-%d %H:%M")) == ends


def test_a_morning_that_the_clock_skips_begins_where_the_clock_goes_on():
    # In Kyiv the hour from three to four does not exist on 29 March 2026.
    now = datetime(2026, 3, 29, 0, tzinfo=UTC)
    assert night_ends(now, "Europe/Kyiv", Quiet(22, 3)) == datetime(2026, 3, 29, 1, tzinfo=UTC)


async def test_the_night_is_known_of_what_can_wait_alone(maria):
    customer_id, telegram, _ = maria
    await queue(telegram, "a receipt")
    await queue(telegram, "an offer", Priority.BULK, "marketing")
    assert [message.quiet_zone for message in await lease()] == [None, MOSCOW]
    home = await a_location(name="Far", time_zone="Asia/Omsk")
    await db.execute("UPDATE customer SET home_location_id = $2 WHERE id = $1", customer_id, home)
    await db.execute("UPDATE message SET status = 'queued', leased_until = NULL, kind = 'birthday'")
    assert [message.quiet_zone for message in await lease()] == ["Asia/Omsk", "Asia/Omsk"]


# ---------------------------------------------------------------------------------------------- reports


REPORTS = (Status.SENT, Status.DELIVERED, Status.READ)


@pytest.mark.parametrize("order", list(permutations(REPORTS)))
async def test_reports_in_any_order_and_twice_only_move_a_message_up(maria, order):
    _, _, whatsapp = maria
    message = await queue(whatsapp)
    await lease("whatsapp")
    await delivery.settle_and_begin([], [message], WHATSAPP, now=NOW)
    await delivery.settle_and_begin([(message, "wamid.1", NOW)], [], WHATSAPP, now=NOW)
    for status in (*order, *order):
        at = NOW + timedelta(seconds=REPORTS.index(status) + 1)
        await note_progress("whatsapp", "79170000001", "wamid.1", status, reference=message, at=at)
    row = await db.fetch_row("SELECT status, read_at, external_id FROM message")
    assert row == {"status": "read", "read_at": NOW + timedelta(seconds=3), "external_id": "wamid.1"}


async def test_a_report_settles_what_nobody_knew_and_it_is_not_sent_again(maria):
    _, _, whatsapp = maria
    message = await queue(whatsapp)
    [leased] = await lease("whatsapp")
    await delivery.settle_and_begin([], [message], WHATSAPP, now=NOW)
    await delivery.settle_unknown(leased, "no_answer", now=NOW)
    assert await note_progress("whatsapp", "79170000001", "wamid.1", Status.DELIVERED, reference=message, at=NOW)
    assert await delivery.queue_delayed(now=NOW + timedelta(days=1)) == 0
    assert await rows() == [("whatsapp", "delivered", None)]


async def test_a_report_before_the_answer_stands(maria):
    _, _, whatsapp = maria
    message = await queue(whatsapp)
    await lease("whatsapp")
    await delivery.settle_and_begin([], [message], WHATSAPP, now=NOW)
    await note_progress("whatsapp", "79170000001", "wamid.1", Status.READ, reference=message, at=NOW)
    await delivery.settle_and_begin([(message, "wamid.1", NOW)], [], WHATSAPP, now=NOW)
    assert await rows() == [("whatsapp", "read", None)]


async def test_a_report_of_somebody_elses_message_changes_nothing(maria):
    _, _, whatsapp = maria
    message = await queue(whatsapp)
    assert not await note_progress("whatsapp", "79179999999", "wamid.1", Status.READ, reference=message, at=NOW)
    assert not await note_progress("telegram", "79170000001", "wamid.1", Status.READ, reference=message, at=NOW)
    assert await rows() == [("whatsapp", "queued", None)]


async def test_a_channel_speaks_of_its_own_messages_alone(maria):
    _, telegram, _ = maria
    message = await queue(telegram)
    found = await delivery.tried(message, "telegram")
    assert found is not None
    assert (found.id, found.account_id) == (message, telegram)
    assert await delivery.tried(message, "sms") is None


async def test_a_report_may_call_its_person_by_a_name_that_we_never_heard(maria):
    _, _, whatsapp = maria
    message = await queue(whatsapp)
    await lease("whatsapp")
    await delivery.settle_and_begin([], [message], WHATSAPP, now=NOW)
    await delivery.settle_and_begin([(message, "wamid.1", NOW)], [], WHATSAPP, now=NOW)
    assert await note_progress("whatsapp", "RU.4242", "wamid.1", Status.READ, reference=message, at=NOW)
    assert await rows() == [("whatsapp", "read", None)]


async def test_what_has_arrived_does_not_fail_any_more(maria):
    _, _, whatsapp = maria
    message = await queue(whatsapp)
    await note_progress("whatsapp", "79170000001", "wamid.1", Status.DELIVERED, reference=message, at=NOW)
    assert not await delivery.settle_failed(message, "gone", is_reported=True, now=NOW)
    assert await rows() == [("whatsapp", "delivered", None)]


async def test_a_template_is_filled_in_and_every_variable_has_something_to_say(shop):
    await db.execute(
        "INSERT INTO message_template (name, language, category, body, variables, status, kind, updated_at)"
        " SELECT name, language, 'utility', '{{1}} {{2}}', $1::jsonb, 'approved', 'receipt', $2"
        " FROM (VALUES ('thanks', 'en_US'), ('spasibo', 'ru')) made (name, language)",
        db.to_json([{"name": "amount", "fallback": "some"}, {"name": "tier", "fallback": "a guest"}]),
        NOW,
    )
    filled = await template_for("receipt", "ru", {"amount": "5\n000"})
    assert filled is not None
    assert (filled.name, filled.values) == ("spasibo", ("5 000", "a guest"))
    ukrainian = await template_for("receipt", "uk", {})
    assert ukrainian is not None
    assert ukrainian.name == "thanks"
    assert await template_for("birthday", "ru", {}) is None


# ----------------------------------------------------------------------------------------- what failed on its way in


async def test_an_update_that_failed_is_taken_once_more_or_put_away(shop):
    await store_updates(TELEGRAM, [Arrived("1", 1, "77", b"{}"), Arrived("2", 2, "77", b"{}")], now=NOW)
    await db.execute("UPDATE incoming_update SET state = 'failed', reason = 'ValueError'")
    [second, first], more = await failed_updates()
    assert (first.reason, more) == ("ValueError", None)
    await replay_update(first.id, actor=COMMAND, now=NOW)
    await dismiss_update(second.id, actor=COMMAND, now=NOW)
    states = await db.fetch("SELECT state FROM incoming_update ORDER BY id")
    assert [row["state"] for row in states] == ["new", "ignored"]
    for act in (replay_update, dismiss_update):
        with pytest.raises(NotFound):
            await act(first.id, actor=COMMAND, now=NOW)


async def test_an_update_whose_body_is_gone_cannot_be_taken_again(shop):
    await store_updates(TELEGRAM, [Arrived("1", 1, "77", b"{}")], now=NOW)
    await db.execute("UPDATE incoming_update SET state = 'failed', body = NULL")
    [update], _ = await failed_updates()
    assert not update.is_whole
    with pytest.raises(Refused, match="update_is_empty"):
        await replay_update(update.id, actor=COMMAND, now=NOW)
