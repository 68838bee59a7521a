"""Reminding staff of their tasks in their own chat.

Tasks lie below conversations, and what they are told through lies here: so it is here that both become one transaction.
"""

from datetime import datetime

from loyalty import db
from loyalty.conversations.actions.outbox import queue_service
from loyalty.conversations.content import Button, Content
from loyalty.conversations.kinds.task_due import KIND
from loyalty.conversations.queries.recipients import first_name
from loyalty.conversations.rules import Priority
from loyalty.shop.queries import shop
from loyalty.staff.rules import Actor
from loyalty.tasks.actions.chats import unlink_chat
from loyalty.tasks.actions.reminders import Reminder, take_due_reminders
from loyalty.wording import moment


@db.use_case
async def remind_of_tasks(*, panel: str = "", now: datetime, limit: int) -> int:
    """Tell people of the tasks whose time to be reminded has come; returns how many there were.

    Who has linked no chat sees it in the panel alone. panel: where that is open to the world, without a last slash;
    empty where nobody knows. A reminder is marked and queued in one transaction: whatever dies, it is given once.
    """
    reminders = await take_due_reminders(now=now, limit=limit)
    if not reminders:
        return 0
    zone = (await shop()).time_zone
    for one in reminders:
        if one.account_id is not None:
            # Somebody else's reminder of the same moment is another one.
            key = f"task:{one.task_id}:{int(one.remind_at.timestamp())}:{one.staff_id}"
            # As an answer: it belongs to this chat, and goes to no other account of whoever this is as a customer.
            await queue_service(
                one.account_id,
                KIND.name,
                reminder_content(one, panel, zone),
                dedupe_key=key,
                now=now,
                priority=Priority.REPLY,
            )
    return len(reminders)


def reminder_content(one: Reminder, panel: str, zone: str) -> Content:
    """What a reminder says, in its reader's language, by the shop's clock."""
    about = {
        "title": one.title,
        "due": moment(one.due_at, zone, one.language) if one.due_at else "",
        "customer": first_name(one.customer_name or ""),
        "link": f"{panel}/tasks/{one.task_id}" if panel else "",
        "task": str(one.task_id),
    }
    row = tuple(Button(label, data) for label, data in KIND.row(one.language, about))
    # By these numbers an erasure finds it again; the words stand in the text alone.
    kept = {"task": about["task"], "about": str(one.customer_id or "")}
    return Content(text=KIND.text(one.language, about), buttons=(row,), values=kept)


# Along message_account.
CANCEL = """
UPDATE message SET status = 'cancelled', reason = 'unlinked', leased_until = NULL
WHERE account_id = $1 AND kind = $2 AND status IN ('queued', 'delayed', 'leased')
"""


@db.use_case
async def stop_reminding(staff_id: int, *, actor: Actor, now: datetime) -> None:
    """Let go of somebody's chat: what waits to be sent there is not sent. Twice is once."""
    account_id = await unlink_chat(staff_id, actor=actor, now=now)
    if account_id is not None:
        await db.execute(CANCEL, account_id, KIND.name)
