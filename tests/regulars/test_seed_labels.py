from datetime import UTC, datetime

from loyalty import db
from loyalty.customers.queries.archive import deleted_customers
from loyalty.customers.queries.categories import categories, importance_classes
from regulars.seed import seed
from regulars.seed.labels import CATEGORIES, CLASSES
from tests.builders import assert_books_agree

NOW = datetime(2026, 3, 10, 9, 0, tzinfo=UTC)


async def test_customers_have_labels_and_a_few_are_deleted(database):
    await seed(300, now=NOW, report=lambda _: None)
    made = await categories()
    assert len(made) == len(CATEGORIES)
    assert all(one.size == one.by_hand > 2 for one in made)
    classes = await importance_classes()
    assert [one.name for one in classes] == list(CLASSES)
    assert classes[0].size > classes[1].size > classes[2].size > 2
    deleted, _ = await deleted_customers(now=NOW)
    assert 2 < len(deleted) < 20
    assert all(one.staff_name for one in deleted)
    early = (
        "SELECT count(*) FROM customer_category p JOIN customer c ON c.id = p.customer_id WHERE added_at < created_at"
    )
    assert await db.fetch_value(early) == 0
    later = (
        "SELECT count(*) FROM customer c JOIN customer_facts f ON f.customer_id = c.id WHERE deleted_at < last_visit_at"
    )
    assert await db.fetch_value(later) == 0
    await assert_books_agree(now=NOW)
