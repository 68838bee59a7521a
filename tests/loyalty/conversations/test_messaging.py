"""Quiet hours and the cap of advertising, as the owner sets them."""

import pytest

from loyalty import db
from loyalty.conversations.actions.messaging import change_manners
from loyalty.conversations.queries.sending import manners
from loyalty.conversations.rules import Cap, Manners, Quiet
from loyalty.errors import Conflict, Invalid
from loyalty.staff.rules import COMMAND
from tests.builders import NOW

USUAL = Manners()


async def test_hours_and_cap_are_kept_and_journaled(database):
    wanted = Manners(Quiet(21, 10), Cap(3, 14))
    await change_manners(wanted, seen=USUAL, actor=COMMAND, now=NOW)
    assert await manners() == wanted
    entry = await db.fetch_row("SELECT action, details FROM journal_entry ORDER BY id DESC LIMIT 1")
    assert entry is not None
    assert entry["action"] == "messaging.changed"
    assert db.from_json(entry["details"])["cap"] == {"messages": 3, "days": 14}


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (Manners(Quiet(24, 9)), "quiet_from"),
        (Manners(Quiet(22, -1)), "quiet_until"),
        (Manners(cap=Cap(101, 7)), "cap_messages"),
        (Manners(cap=Cap(1, 0)), "cap_days"),
        (Manners(cap=Cap(1, 91)), "cap_days"),
    ],
)
async def test_figures_stay_within_their_bounds(database, wanted, field):
    with pytest.raises(Invalid, match="not_in_range") as refused:
        await change_manners(wanted, seen=USUAL, actor=COMMAND, now=NOW)
    assert refused.value.field == field


async def test_the_second_of_two_is_told_of_the_first(database):
    await change_manners(Manners(Quiet(0, 0)), seen=USUAL, actor=COMMAND, now=NOW)
    with pytest.raises(Conflict, match="changed_meanwhile"):
        await change_manners(Manners(Quiet(21, 8)), seen=USUAL, actor=COMMAND, now=NOW)


async def test_what_stays_the_same_leaves_no_line_in_the_journal(database):
    before = await db.fetch_value("SELECT count(*) FROM journal_entry")
    await change_manners(USUAL, seen=USUAL, actor=COMMAND, now=NOW)
    assert await db.fetch_value("SELECT count(*) FROM journal_entry") == before
