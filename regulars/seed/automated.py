"""Automations that ran in the last weeks: newcomers were greeted, people won back, second visits thanked for.

They go the way that they go in a shop, by the same actions, evening by evening.
"""

from datetime import datetime, timedelta

from loyalty import db
from loyalty.campaigns.actions.automating import add_automation, switch_on
from loyalty.campaigns.actions.beginning import begin_due
from loyalty.campaigns.actions.stepping import step_due
from loyalty.campaigns.rules.drafts import acknowledgement
from loyalty.campaigns.rules.ready_made import ready_made
from loyalty.conversations.channels import TELEGRAM, WHATSAPP
from loyalty.staff.rules import Actor, ActorKind
from regulars.seed.desk import arrive

RAN = ("welcome", "win_back", "second_visit")
DAYS = 20
PATIENCE_SECONDS = 60.0
# Whose chat or account went on after that is dealt with when it was quiet again; who waits for an answer, another day.
AFTER_ALL = """
UPDATE automation_run r SET due_at = told.at + INTERVAL '1 minute' FROM (SELECT customer_id, max(at) AS at FROM (
        SELECT customer_id, created_at AS at FROM message UNION ALL SELECT customer_id, at FROM bonus_entry
        UNION ALL SELECT a.customer_id, $1 FROM conversation v JOIN messenger_account a ON a.id = v.account_id
            WHERE v.waiting_since IS NOT NULL OR v.state = 'open') act GROUP BY 1) told
WHERE told.customer_id = r.customer_id AND r.state = 'waiting' AND told.at >= r.due_at
"""
# Of chats, what was said last.
LAST = """
UPDATE conversation SET last_message_at = last.at FROM (SELECT account_id, max(created_at) AS at FROM message
    WHERE created_at > $1 GROUP BY account_id) last
WHERE last.account_id = conversation.account_id AND last.at > last_message_at
"""


async def write_automations(author_id: int, now: datetime) -> None:
    """Switch three of the ready-made ones on, weeks ago, and let them go until now."""
    author = Actor(ActorKind.STAFF, author_id)
    began = (now - timedelta(days=DAYS)).replace(hour=15, minute=0, second=0, microsecond=0)
    for name in RAN:
        automation_id = await add_automation(ready_made(name, "ru"), key=f"seed:{name}", actor=author, now=began)
        working = (TELEGRAM, WHATSAPP)
        await switch_on(automation_id, acknowledgement("ru"), working=working, actor=author, now=began)
    evening = began
    while (evening := evening + timedelta(days=1)) <= now - timedelta(hours=3):
        await begin_due(now=evening)
        for hours in (0, 3):
            await db.execute(AFTER_ALL, now + timedelta(days=1))
            await step_due(now=evening + timedelta(hours=hours), seconds=PATIENCE_SECONDS)
    await arrive(now)
    await db.execute(LAST, began)
