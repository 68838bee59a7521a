"""Labels of the demo: by hand and by rules on the cards, classes of importance by spending, a few who were deleted."""

from datetime import datetime, timedelta

from loyalty import db
from loyalty.customers.actions.archive import delete_customers
from loyalty.customers.actions.categories import add_category
from loyalty.customers.actions.importance import rename_class
from loyalty.customers.labels import CategoryDraft
from loyalty.customers.queries.categories import importance_classes
from loyalty.segments.actions.label_rules import add_rule, apply_rules
from loyalty.segments.rules.labels import LabelRuleDraft, Target
from loyalty.segments.rules.trees import tree_from
from loyalty.staff.rules import Actor, ActorKind

CATEGORIES = (
    (CategoryDraft("Офис по соседству", "blue"), 11, 4),
    (CategoryDraft("Только овсяное", "green"), 17, 2),
    (CategoryDraft("Аллергия", "amber"), 29, 7),
    (CategoryDraft("Была жалоба", "red"), 41, 9),
)
"""(category, every which customer, beginning with whom)."""
BY_RULE = CategoryDraft("Завсегдатаи", "teal")
OFTEN = "visits:between:12..,last_visit:in:last-45"
"""Who is given that category by a rule."""
VIP_DISCOUNT_BP = 300
CLASSES = ("Постоянный", "Важный", "VIP")
SHARES = (0.75, 0.9, 0.97)
"""Who has spent more than this share of all who bought is in a class, unless nobody has looked at their card."""
SINCE = timedelta(days=120)
GONE_FOR = timedelta(days=45)
"""Somebody who was here since is not deleted."""
DELETED_AT_MOST = 8

FILL = """
INSERT INTO customer_category (category_id, customer_id, staff_id, added_at)
SELECT $1, c.id, $4, least($3::timestamptz, greatest(c.created_at, $2::timestamptz) + c.id % 90 * INTERVAL '1 day')
FROM customer c WHERE c.id % $5 = $6
"""
RANK = """
UPDATE customer_facts f SET importance_id = $1::smallint
FROM (SELECT percentile_disc($2::float8) WITHIN GROUP (ORDER BY sold) AS least FROM customer_facts WHERE sold > 0) bar
WHERE f.sold > bar.least AND f.customer_id % 6 <> 1
"""
# People of long ago whom nobody waits for.
FORGOTTEN = """
SELECT c.id FROM customer c JOIN customer_facts f ON f.customer_id = c.id
WHERE f.last_visit_at < $1 AND c.created_at < $1 AND f.sold > 0 AND f.next_booking_at <= $1 AND NOT f.is_hidden
    AND c.id % 3 = 2 AND NOT EXISTS (
        SELECT FROM messenger_account a LEFT JOIN conversation v ON v.account_id = a.id
        WHERE a.customer_id = c.id AND (v.state <> 'bot' OR v.last_message_at > $1))
ORDER BY c.id LIMIT $2
"""


async def write_labels(marketer_id: int, now: datetime) -> None:
    """Make the categories, name the classes, label the customers there are, and delete a few of them."""
    since, actor = now - SINCE, Actor(ActorKind.STAFF, marketer_id)
    for draft, every, first in CATEGORIES:
        made = await add_category(draft, actor=actor, now=since)
        await db.execute(FILL, made, since, now - timedelta(hours=2), marketer_id, every, first)
    for one, name, share in zip(await importance_classes(), CLASSES, SHARES, strict=True):
        await rename_class(one.id, name, actor=actor, now=since)
        await db.execute(RANK, one.id, share)
    for number, row in enumerate(await db.fetch(FORGOTTEN, now - GONE_FOR, DELETED_AT_MOST)):
        await delete_customers([row["id"]], actor=actor, now=now - timedelta(days=3 * number, hours=5))


async def write_rules(marketer_id: int, now: datetime) -> None:
    """Make a rule for a category and one for a discount, and give both to those who fit by all that happened."""
    since, actor = now - SINCE, Actor(ActorKind.STAFF, marketer_id)
    often = await add_category(BY_RULE, actor=actor, now=since)
    vip = (await importance_classes())[-1].id
    for draft in (
        LabelRuleDraft("Ходят часто", Target.CATEGORY, often, tree_from(OFTEN)),
        LabelRuleDraft("Скидка для VIP", Target.DISCOUNT, VIP_DISCOUNT_BP, tree_from(f"importance:any:{vip}")),
    ):
        await add_rule(draft, actor=actor, now=since)
        await apply_rules(draft.target, now=now - timedelta(minutes=2))
