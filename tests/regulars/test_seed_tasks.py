"""The demo's people have something to do, and have done something."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from loyalty import db
from loyalty.staff.queries import staff_list
from regulars.seed.opening import open_town
from regulars.seed.tasks import TASKS, TIMUR, write_tasks
from tests.builders import a_customer

NIGHT = datetime(2026, 3, 10, 22, 30, tzinfo=UTC)
NOON = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("now", [NOON, NIGHT])
async def test_tasks_are_late_due_and_done_at_any_hour(database, now):
    _town, staff = await open_town(now)
    needed = sum(one.for_customer for one in TASKS)
    for _ in range(needed - 1):
        person = await a_customer()
        await db.execute("UPDATE customer SET created_at = $2 WHERE id = $1", person.id, now - timedelta(days=90))
    await write_tasks(staff, now)
    states = Counter(row["state"] for row in await db.fetch("SELECT state FROM task"))
    # The last one would be about somebody who is not there.
    assert states == {"open": 11, "done": 2}
    assert await db.fetch_value("SELECT count(*) FROM task WHERE state = 'open' AND due_at < $1", now) == 2
    assert await db.fetch_value("SELECT count(*) FROM task WHERE created_at > $1 OR closed_at < created_at", now) == 0
    timur = next(one.id for one in await staff_list() if one.email == TIMUR)
    assert await db.fetch_value("SELECT count(*) FROM task WHERE assignee_id = $1", timur) == 2
