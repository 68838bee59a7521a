"""The demo's people in two messengers: their accounts, what became of messages, the desk of staff, what waits there."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.channels.base import Event
from bot.channels.telegram import TelegramChannel
from loyalty import db
from loyalty.campaigns.effect import Verdict
from loyalty.campaigns.queries.campaigns import campaigns
from loyalty.campaigns.queries.report import count_report, kept_report
from loyalty.campaigns.rules.states import CampaignState
from loyalty.conversations.queries.channels import failed_updates
from loyalty.conversations.queries.inbox import Show, canned_replies, inbox, templates
from loyalty.conversations.queries.sending import template_for
from loyalty.customers.queries.links import link_requests
from loyalty.customers.rules import LinkState
from loyalty.staff.queries import staff_list
from regulars.seed import DEMO_LOGINS, seed
from regulars.seed.doubles import NEW_NUMBERS
from tests.builders import assert_books_agree
from tests.conftest import refresh

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)
STANDS = "SELECT (SELECT count(*) FROM customer) = 400 AND EXISTS (SELECT FROM staff_member WHERE email = $1)"


@pytest.fixture
async def crowd(opened_database: Any) -> None:
    """To be looked at: the one that the last test of this worker left, or a new one."""
    if not await opened_database.fetchval(STANDS, DEMO_LOGINS[0][0]):
        await refresh(opened_database)
        await seed(400, now=NOW, report=lambda _: None)


async def count(sql: str) -> int:
    found: int = await db.fetch_value(f"SELECT count(*) FROM {sql}")
    return found


async def test_most_are_in_telegram_a_quarter_in_whatsapp_and_some_in_both(crowd):
    await assert_books_agree(now=NOW)
    rows = await db.fetch(
        "SELECT string_agg(channel, ' ' ORDER BY channel) AS there, count(*) FILTER (WHERE is_default) AS defaults,"
        " max(channel) FILTER (WHERE is_default) AS chosen FROM messenger_account WHERE customer_id IS NOT NULL"
        " AND channel IN ('telegram', 'whatsapp') GROUP BY customer_id"
    )
    share = {there: sum(row["there"] == there for row in rows) / len(rows) for there in {row["there"] for row in rows}}
    assert share.keys() == {"telegram", "whatsapp", "telegram whatsapp"}
    assert share["telegram"] > 0.5
    assert 0.18 < share["whatsapp"] < 0.32
    assert share["telegram whatsapp"] > 0.04
    assert all(row["defaults"] == 1 for row in rows)
    chosen = {row["chosen"] for row in rows if row["there"] == "telegram whatsapp"}
    assert chosen == {"telegram", "whatsapp"}


async def test_whatsapp_calls_people_by_their_number_or_by_a_name_of_its_own(crowd):
    rows = await db.fetch(
        "SELECT a.*, c.phone AS known, c.phone_verified_at FROM messenger_account a"
        " JOIN customer c ON c.id = a.customer_id WHERE a.channel = 'whatsapp'"
    )
    scoped = [row for row in rows if not row["address"].isdigit()]
    assert 0.3 < len(scoped) / len(rows) < 0.7
    for row in rows:
        if row["phone"] is not None:
            # Whoever has another number by now may write from the old one still.
            assert row["phone"] == row["known"] or row["known"] in NEW_NUMBERS
            assert row["phone"][1:] in {row["address"], row["alias"]}
    hidden = [row for row in rows if row["phone"] is None]
    assert {(row["known"] is None, row["phone_verified_at"]) for row in hidden} == {(False, None), (True, None)}
    assert await count("registration_step WHERE via = 'whatsapp' AND step = 'phone_typed'") == len(hidden)


async def test_people_are_inactive_for_a_reason_and_since_a_moment(crowd):
    rows = await db.fetch(
        "SELECT DISTINCT channel, inactive_reason AS reason FROM messenger_account WHERE NOT is_active"
    )
    assert {(row["channel"], row["reason"]) for row in rows} >= {("telegram", "blocked"), ("whatsapp", "gone")}
    assert await count("messenger_account WHERE is_active <> (inactive_at IS NULL)") == 0
    said_late = "message m JOIN messenger_account a ON a.id = m.account_id AND m.created_at > a.inactive_at"
    assert await count(said_late) == 0


async def test_who_wants_no_more_of_something_said_so_in_the_chat(crowd):
    rows = await db.fetch(
        "SELECT j.action, j.details, j.actor_kind, (SELECT count(*) FROM message m WHERE m.customer_id = j.subject_id"
        " AND m.direction = 'in' AND m.created_at = j.at) AS said FROM journal_entry j WHERE j.action IN"
        " ('account.topics', 'consent.withdrawn')"
    )
    details = [db.from_json(row["details"]) for row in rows if row["action"] == "account.topics"]
    assert {name for told in details for name in told} == {"account", "marketing", "surveys"}
    assert all(row["said"] == 1 and row["actor_kind"] == "customer" for row in rows)
    for topic in ("marketing", "surveys"):
        off = [told["account"] for told in details if topic in told]
        assert await count(f"messenger_account WHERE takes_{topic} AND id IN ({','.join(map(str, off))})") == 0
    withdrawn = "consent WHERE NOT granted AND topic = 'surveys'"
    assert 0 < await count(withdrawn) <= await count("messenger_account WHERE NOT takes_surveys")
    stopped = "message WHERE lower(content->>'text') IN ('стоп', 'stop')"
    assert await count(stopped) > 0


async def test_whatsapp_tells_what_was_delivered_and_read_and_telegram_only_what_was_sent(crowd):
    rows = await db.fetch(
        "SELECT channel, status, count(*) AS many FROM message WHERE direction = 'out' AND priority = 1 GROUP BY 1, 2"
    )
    many = {(row["channel"], row["status"]): row["many"] for row in rows}
    assert {status for channel, status in many if channel == "telegram"} <= {"sent", "failed"}
    told = sum(number for (channel, _), number in many.items() if channel == "whatsapp")
    assert 0.6 < many["whatsapp", "read"] / told < 0.9
    assert 0.08 < many["whatsapp", "delivered"] / told < 0.3
    upside_down = (
        "message WHERE (status = 'read') <> (read_at IS NOT NULL) OR (status IN ('read', 'delivered'))"
        " <> (delivered_at IS NOT NULL) OR delivered_at < sent_at OR read_at < delivered_at OR read_at > $1"
    )
    assert await db.fetch_value(f"SELECT count(*) FROM {upside_down}", NOW) == 0


async def test_what_failed_says_why_and_went_to_the_other_messenger(crowd):
    rows = await db.fetch("SELECT * FROM message WHERE status = 'failed'")
    assert {row["reason"] for row in rows} == {"gone", "window_closed", "rejected"}
    assert {row["channel"] for row in rows if row["reason"] == "rejected"} == {"sms"}
    stand_ins = await db.fetch(
        "SELECT m.*, f.id AS failed_id, f.channel AS failed_in, f.customer_id AS whose, f.kind AS what, f.status AS was"
        " FROM message m JOIN message f ON f.id = m.instead_of_id"
    )
    assert len(stand_ins) >= 2
    for row in stand_ins:
        assert row["dedupe_key"] == f"instead:{row['failed_id']}"
        assert (row["was"], row["whose"], row["what"]) == ("failed", row["customer_id"], row["kind"])
        assert row["channel"] != row["failed_in"]
        assert row["status"] in {"sent", "delivered", "read"}
    lost = await db.fetch("SELECT DISTINCT kind, priority, reason FROM message WHERE status = 'unknown'")
    assert [tuple(row.values()) for row in lost] == [("bulk", 2, "no_answer")]


async def test_some_were_written_to_by_a_campaign_that_says_who_was_left_out(crowd):
    view = (await campaigns())[0][0]
    assert view.state is CampaignState.FINISHED
    assert view.sent > 3 * view.unknown > 0
    assert view.skipped > 0
    assert view.reached == view.settled
    assert view.read <= view.delivered <= view.sent
    assert view.finished_at is not None


async def test_the_desk_has_conversations_of_everybody_and_of_nobody(crowd):
    people = {member.email.partition("@")[0]: member.id for member in await staff_list()}
    rows, _ = await inbox(Show.OPEN, people["olga"])
    assert {row.channel for row in rows} == {"telegram", "whatsapp"}
    assert any(row.unread for row in rows)
    assert {row.assignee_id for row in rows} == {None, people["olga"], people["marina"], people["dasha"]}
    closed, _ = await inbox(Show.CLOSED, people["olga"])
    assert {row.channel for row in closed} == {"telegram", "whatsapp"}
    assert await count("conversation WHERE staffed_at IS NOT NULL") == 2
    assert await count("message WHERE direction = 'log' AND kind = 'note' AND staff_id IS NOT NULL") == 3


async def test_one_window_is_closed_and_another_closes_in_a_few_hours(crowd):
    rows = await db.fetch(
        "SELECT c.heard_at FROM conversation c JOIN messenger_account a ON a.id = c.account_id"
        " WHERE a.channel = 'whatsapp' AND c.waiting_since IS NOT NULL"
    )
    silent = [(NOW - row["heard_at"]) for row in rows]
    assert any(timedelta(hours=24) < since < timedelta(hours=30) for since in silent)
    assert any(timedelta(hours=18) < since < timedelta(hours=22) for since in silent)
    assert await db.fetch_value(
        "SELECT bool_and(heard_at = (SELECT max(created_at) FROM message m WHERE m.account_id = c.account_id"
        " AND direction = 'in')) FROM conversation c"
    )


async def test_staff_have_ready_answers_and_templates_that_fill_themselves(crowd):
    assert len(await canned_replies()) == 4
    assert {template.name for template in await templates("ru")} >= {"answer_from_staff", "purchase_credited"}
    for kind in ("receipt", "birthday"):
        values = db.from_json(
            await db.fetch_value("SELECT content->'values' FROM message WHERE kind = $1 LIMIT 1", kind)
        )
        filled = await template_for(kind, "ru", values)
        assert filled is not None
        assert set(filled.values) <= {" ".join(value.split()) for value in values.values()}
    rows = await db.fetch("SELECT status, reason FROM message_template")
    assert {row["status"] for row in rows} == {"approved", "pending", "rejected"}
    assert all((row["status"] == "rejected") == (row["reason"] is not None) for row in rows)


async def test_some_wrote_and_did_not_register_and_some_may_be_others(crowd):
    rows = await db.fetch(
        "SELECT a.channel, c.session->>'step' AS step FROM messenger_account a JOIN conversation c"
        " ON c.account_id = a.id WHERE a.customer_id IS NULL"
    )
    assert len(rows) == 4
    assert {row["channel"] for row in rows} == {"telegram", "whatsapp"}
    assert {row["step"] for row in rows} == {"language", "terms", None}
    waiting = await link_requests(is_open=True)
    decided = await link_requests(is_open=False)
    assert (len(waiting), [one.state for one in decided]) == (2, [LinkState.REFUSED])
    for one in waiting:
        # Whoever only named a number has no gift before that is decided.
        assert await db.fetch_value("SELECT count(*) FROM bonus_entry WHERE customer_id = $1", one.owner_id) == 0
    assert await count("message WHERE kind = 'link_asked' AND status = 'sent'") == 3


async def test_failed_updates_are_whole_and_two_of_three_can_be_read(crowd):
    found, _ = await failed_updates()
    assert len(found) == 3
    assert all(one.is_whole and one.source == "telegram:1000" for one in found)
    channel = TelegramChannel("1000:a", api_url="http://127.0.0.1:9")
    bodies = [row["body"] for row in await db.fetch("SELECT body FROM incoming_update ORDER BY id")]
    for body, said in ((bodies[0], "Сколько у меня бонусов?"), (bodies[2], "Здравствуйте! Хочу карту")):
        event = channel.parse(body)
        assert isinstance(event, Event)
        assert event.text == said
    with pytest.raises(ValueError, match="fields of the update"):
        channel.parse(bodies[1])
    await channel.close()


async def test_an_update_that_failed_with_an_apology_leaves_the_keys_of_its_answers_free(crowd):
    assert await count("message WHERE kind = 'failed' AND direction = 'in'") == 2
    assert await count("message WHERE dedupe_key LIKE 'turn:%'") == 0


async def test_letters_of_before_have_control_groups_and_reports_that_follow_from_purchases(crowd):
    views, _ = await campaigns()
    earned, lost, unclear = [view for view in reversed(views) if view.control]
    for view in (earned, lost, unclear):
        report = await kept_report(view.id)
        assert report is not None
        assert report == await count_report(view.id, now=NOW)
        assert report.is_final
        assert (report.people + report.skipped + report.control, report.control) == (view.total, view.control)
        assert 0.3 < report.control / (report.people + report.control) < 0.7
        assert 0 < report.clicked < report.people
        assert report.bought
        # Telegram tells neither.
        assert (report.delivered, report.read) == (None, None)
        assert report.verdict in {Verdict.TOO_SMALL, Verdict.EARNED, Verdict.LOST, Verdict.UNCLEAR}
    # One of them was told in two wordings, each to whoever drew it.
    assert [len(view.draft.words.wordings) for view in (earned, lost, unclear)] == [2, 1, 1]
    told = [one.texts for one in earned.draft.words.wordings]
    rows = await db.fetch(
        "SELECT r.variant, m.content FROM recipient r JOIN message m ON m.id = r.message_id WHERE r.campaign_id = $1",
        earned.id,
    )
    assert {row["variant"] for row in rows} == {0, 1}
    assert all(db.from_json(row["content"])["text"] in told[row["variant"]].values() for row in rows)
    given = (await kept_report(earned.id)).cost  # type: ignore[union-attr]
    assert (given.people, given.given) == (earned.sent + earned.unknown, (earned.sent + earned.unknown) * 150_00)
    assert 0 < given.spent < given.given
    assert given.spent + given.expired + given.repaid + given.left == given.given
    assert await count("bonus_entry WHERE event = 'campaign'") == given.people
