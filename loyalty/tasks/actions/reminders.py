"""Finding whom to remind of what. Who sends it stands above this room: see `conversations.actions.reminding`."""

from dataclasses import dataclass
from datetime import datetime

from loyalty import db


@dataclass(frozen=True, slots=True)
class Reminder:
    """A task whose assignee is to be told of it now. account_id None: they have linked no chat that can be written to.

    language: the assignee's in the panel, else the shop's. customer_name: whole, None for nobody's task.
    """

    task_id: int
    staff_id: int
    title: str
    due_at: datetime | None
    remind_at: datetime
    customer_id: int | None
    customer_name: str | None
    language: str
    account_id: int | None


# Along task_remind. Somebody else's share is left to them.
DUE = """
SELECT t.id FROM task t JOIN staff_member s ON s.id = t.assignee_id
WHERE t.state = 'open' AND t.remind_at <= $1 AND t.reminded_at IS NULL AND s.is_active
ORDER BY t.remind_at, t.id LIMIT $2 FOR NO KEY UPDATE OF t SKIP LOCKED
"""
# After the locks, in a statement of its own: what an erasure has emptied meanwhile is not told any more.
REMIND = """
UPDATE task SET reminded_at = $2 FROM task before
    JOIN staff_member s ON s.id = before.assignee_id CROSS JOIN shop
    LEFT JOIN customer c ON c.id = before.customer_id
    LEFT JOIN staff_chat k ON k.staff_id = s.id
    LEFT JOIN messenger_account a ON a.id = k.account_id AND a.is_active
WHERE task.id = ANY($1::bigint[]) AND before.id = task.id
RETURNING task.id AS task_id, s.id AS staff_id, task.title, task.due_at, task.remind_at, task.customer_id,
    c.name AS customer_name, coalesce(s.language, shop.language) AS language, a.id AS account_id
"""


async def take_due_reminders(*, now: datetime, limit: int) -> list[Reminder]:
    """Mark the reminders that are due as given, and return them, the oldest first; those without words are left out.

    Joins the caller's transaction: what is returned must be sent in it, or nothing has happened.
    """
    ids = [row["id"] for row in await db.fetch(DUE, now, limit)]
    if not ids:
        return []
    found = [Reminder(**row) for row in await db.fetch(REMIND, ids, now)]
    return sorted((one for one in found if one.title), key=lambda one: (one.remind_at, one.task_id))
