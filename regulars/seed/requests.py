"""Credits by hand that want two people: what the marketer asks for, and what the owner has declined."""

from datetime import datetime, timedelta

from loyalty import db
from loyalty.bonuses.actions.requests import ask_credit, refuse_credit
from loyalty.staff.rules import Actor, ActorKind

ASKED = (
    (1_500_00, "Юбилей: десять лет с нами", timedelta(hours=2)),
    (900_00, "Пролили кофе на пальто, химчистка", timedelta(hours=26)),
)
DECLINED = (5_000_00, "Попросил знакомый бариста", timedelta(days=9))
# People of whom the shop knows for long, and to whom it writes.
WHOM = "SELECT id FROM customer WHERE created_at < $1 ORDER BY created_at LIMIT $2"


async def write_requests(marketer_id: int, owner_id: int, now: datetime) -> None:
    """Ask through the panel's own actions, each as of its moment. A base with few old customers gets fewer."""
    marketer, owner = Actor(ActorKind.STAFF, marketer_id), Actor(ActorKind.STAFF, owner_id)
    told = (DECLINED, *ASKED)
    rows = await db.fetch(WHOM, now - timedelta(days=30), len(told))
    for row, (amount, comment, ago) in zip(rows, told, strict=False):
        asked = await ask_credit(row["id"], amount, comment, key=f"seed-{row['id']}", actor=marketer, now=now - ago)
        if (amount, comment, ago) == DECLINED:
            await refuse_credit(asked.id, actor=owner, now=now - ago + timedelta(hours=1))
