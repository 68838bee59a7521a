"""Asking many on demand: whom it reaches, that it is frozen once, that it can be ended."""

from datetime import timedelta

import pytest

from loyalty import db
from loyalty.conversations.actions import delivery
from loyalty.customers.actions.profile import set_consent
from loyalty.customers.rules import Topic
from loyalty.errors import NotFound, Refused
from loyalty.ids import new_key
from loyalty.segments.queries.audience import Audience
from loyalty.segments.queries.base import Look
from loyalty.segments.rules.trees import tree_from
from loyalty.staff.rules import COMMAND
from loyalty.surveys.actions.answering import answer
from loyalty.surveys.actions.asking import ask_due
from loyalty.surveys.actions.running import cancel_run, start_run
from loyalty.surveys.queries.reach import reach
from loyalty.surveys.rules import Skip
from tests.builders import NOW, a_cashier, a_customer, a_location, a_programme, a_sale, an_account, assert_books_agree

BOTH = ("telegram", "whatsapp")
LATER = NOW + timedelta(minutes=5)


@pytest.fixture(autouse=True)
async def _shop(database):
    await a_programme()


async def a_reader() -> int:
    person = await a_customer()
    await an_account(person.id)
    return person.id


async def start(audience: Audience | None = None, *, key: str | None = None) -> int:
    return await start_run(
        audience or Audience(), channels=BOTH, key=key or new_key(), look={}, actor=await a_cashier(), now=NOW
    )


async def states(run_id: int) -> dict[str, int]:
    rows = await db.fetch(
        "SELECT coalesce(reason, state) AS what, count(*) AS people FROM survey_invitation WHERE run_id = $1"
        " GROUP BY 1",
        run_id,
    )
    return {row["what"]: row["people"] for row in rows}


async def test_everybody_is_split_as_shown_before_and_asked_once():
    asked = [await a_reader() for _ in range(3)]
    await a_customer()  # without a messenger
    refuses = await a_reader()
    await set_consent(
        refuses, Topic.SURVEYS, granted=False, source="telegram", text_version="1", actor=COMMAND, now=NOW
    )
    found = await reach(Audience(), channels=BOTH, now=NOW)
    assert (found.channels, found.skipped, found.total) == (
        {"telegram": 3},
        {Skip.NO_ACCOUNT: 1, Skip.NO_CONSENT: 1},
        5,
    )
    key = new_key()
    run = await start(key=key)
    assert await start(key=key) == run
    row = await db.fetch_row("SELECT total, skipped FROM survey_run WHERE id = $1", run)
    assert row is not None
    assert (row["total"], row["skipped"]) == (5, 2)
    await ask_due(now=LATER)
    assert await states(run) == {"asked": 3, "no_account": 1, "no_consent": 1}
    # Whoever was asked is asked again after the pause only.
    again = await reach(Audience(), channels=BOTH, now=LATER)
    assert again.skipped[Skip.ASKED_LATELY] == 3
    with pytest.raises(Refused) as nobody:
        await start(Audience(ids=tuple(asked)))
    assert nobody.value.reason == "nobody_to_ask"
    assert (await reach(Audience(), channels=BOTH, now=NOW + timedelta(days=91))).reached == 3
    invitation = await db.fetch_value("SELECT id FROM survey_invitation WHERE customer_id = $1", asked[0])
    done = await answer(invitation, asked[0], 10, channel="telegram", now=LATER)
    assert done.location_id is None
    await assert_books_agree(now=LATER)


async def test_a_filter_chooses_and_no_location_is_named():
    await a_reader()
    spender = await a_reader()
    await a_sale(spender, await a_location(), 900_00)
    run = await start(Audience(Look(tree=tree_from("sold:between:50000.."))))
    await ask_due(now=LATER)
    assert await states(run) == {"asked": 1}
    text = await db.fetch_value("SELECT content->>'text' FROM message WHERE kind = 'survey_asked'")
    assert "были здесь" not in text


async def test_ending_a_run_takes_back_what_was_not_sent_and_frees_its_people():
    people = [await a_reader() for _ in range(4)]
    run = await start()
    # One of them is not reached by the worker yet.
    await db.execute(
        "UPDATE survey_invitation SET due_at = $1 WHERE customer_id = $2", LATER + timedelta(hours=1), people[-1]
    )
    await ask_due(now=LATER)
    [gone, *_] = await delivery.lease_messages("telegram:4242", limit=1, now=LATER)
    await delivery.settle_and_begin([], [gone.id], "telegram:4242", now=LATER)
    await cancel_run(run, actor=COMMAND, now=LATER)
    await cancel_run(run, actor=COMMAND, now=LATER)
    assert await states(run) == {"asked": 1, "cancelled": 3}
    assert await db.fetch_value("SELECT count(*) FROM message WHERE reason = 'survey_cancelled'") == 2
    assert (await reach(Audience(), channels=BOTH, now=LATER)).reached == len(people) - 1
    with pytest.raises(NotFound):
        await cancel_run(run + 1, actor=COMMAND, now=LATER)
    acts = await db.fetch("SELECT action FROM journal_entry WHERE action LIKE 'survey_run.%' ORDER BY id")
    assert [row["action"] for row in acts] == ["survey_run.started", "survey_run.cancelled"]
