"""A page of the client base never reads a big table from end to end: the plans of its statements are read."""

import json
import os

import pytest

from loyalty import db
from loyalty.segments.filters import FILTERS, checked
from loyalty.segments.queries import base, finding
from loyalty.segments.queries.base import Look, base_page
from loyalty.segments.queries.columns import COLUMNS
from loyalty.segments.rules.trees import tree_from
from tests.proofs.test_filters import NOW, people

pytestmark = [pytest.mark.prove, pytest.mark.timeout(1200)]

FULL = bool(os.environ.get("REGULARS_PROVE"))
CUSTOMERS = 200_000 if FULL else 20_000
SMALL_TABLES = {"location", "category", "segment", "team_member", "service", "importance_class", "staff_member", "shop"}

# What a marketer asks: neither everybody nor nobody. Of facts without an index a tenth and more.
CONDITIONS = {
    "sold": "between:200000..", "paid": "between:20000..", "receipts": "between:30..",
    "average_receipt": "between:20000..",
    "tips": "between:5000..", "discount": "between:1000..", "visits": "between:38..", "frequency": "between:..50",
    "last_visit": "in:last-7", "first_visit": "in:last-60", "visited_location": "all:1.2", "locations": "between:2..",
    "home_location": "any:2", "balance": "between:490000..", "debt": "between:1..", "earned": "between:500000..",
    "burnt": "between:500000..", "expired": "between:20000..", "expiring": "in:next-3", "tier": "any:2",
    "nps": "between:..3", "nps_group": "any:passive", "nps_at": "in:last-7",
    "category": "any:3", "segment": "any:1", "importance": "any:3", "next_booking": "in:next-7",
    "booked_with": "any:2", "booked": "in:last-3", "booked_online": "yes", "missed": "in:last-30",
    "served_by": "any:1", "service": "any:2", "service_category": "any:1", "gender": "any:unknown",
    "age": "between:20..27", "birthday": "soon:14", "language": "any:uk", "has_phone": "no", "phone_verified": "no",
    "has_email": "yes", "answer": "any:91-1", "reachable": "any:whatsapp", "unreachable": "any:sms",
    "agreed": "no", "stopped": "any:email", "campaign": "any:3", "campaign_link": "any:3",
    "wrote": "in:last-7", "created": "in:last-10", "created_via": "any:api",
    "created_by": "any:1", "entry_link": "any:2", "was_invited": "yes", "has_invited": "yes",
}  # fmt: skip


@pytest.fixture
def noted(monkeypatch):
    """Statements of the page, with their parameters."""
    statements = []
    planned, fetch = db.fetch_planned, db.fetch

    async def note_planned(sql, *params):
        statements.append((sql, params))
        return await planned(sql, *params)

    async def note(sql, *params):
        statements.append((sql, params))
        return await fetch(sql, *params)

    monkeypatch.setattr(db, "fetch_planned", note_planned)
    monkeypatch.setattr(db, "fetch", note)
    monkeypatch.setattr(finding, "SMALL", 1_000)
    yield statements
    monkeypatch.undo()


async def scans(statements: list[tuple[str, tuple[object, ...]]]) -> set[str]:
    """Tables that these statements would read from end to end, not stopping early."""
    found: set[str] = set()
    for sql, params in statements:
        # How many are at a location is counted to two thousand, be it along the table's first pages.
        if sql.startswith("EXPLAIN") or "pg_class" in sql or sql == base.HOW_MANY_THERE:
            continue
        [row] = await db.fetch_planned(f"EXPLAIN (FORMAT JSON) {sql}", *params)
        walk(json.loads(row["QUERY PLAN"])[0]["Plan"], found)
    return found - SMALL_TABLES


def walk(node: dict, found: set[str]) -> None:
    if node["Node Type"] == "Seq Scan":
        found.add(node["Relation Name"])
    for part in node.get("Plans", ()):
        walk(part, found)


async def test_no_page_reads_a_big_table_from_end_to_end(database, noted):
    assert CONDITIONS.keys() == FILTERS.keys()
    await people(7, CUSTOMERS)
    for table in ("customer_location", "customer_team_member", "customer_service", "bonus_lot", "consent", "answer",
        "conversation", "referral", "customer_service_category", "segment_member", "recipient", "campaign_click",
        "message"):  # fmt: skip
        await db.execute(f"ANALYZE {table}")
    wrong = {}
    for key, asked in CONDITIONS.items():
        noted.clear()
        look = Look(tree=checked(tree_from(f"{key}:{asked}")))
        page = await base_page(look, columns=["name"], now=NOW)
        assert page.rows, key
        # The proof reads what was asked before it asks for itself.
        if tables := await scans(list(noted)):
            wrong[key] = tables
    # Where nearly everybody has been, a table this small is read at once: that is cheaper.
    for places in ((1,), (3,), (1, 2)) if FULL else ((1,), (3,)):
        for asked in ("", "gender:any:f", "sold:between:200000.."):
            noted.clear()
            page = await base_page(Look(tree=checked(tree_from(asked)), locations=places), columns=["name"], now=NOW)
            assert page.rows, (places, asked)
            if tables := await scans(list(noted)):
                wrong[f"at {places}: {asked}"] = tables
    for key, column in COLUMNS.items():
        if column.order is None or not column.order.index:
            continue
        for descending in (True, False):
            noted.clear()
            page = await base_page(Look(order=key, descending=descending), columns=COLUMNS, now=NOW)
            second = await base_page(
                Look(order=key, descending=descending), columns=COLUMNS, now=NOW, after=page.following
            )
            assert len(page.rows) == len(second.rows) == base.PAGE_ROWS
            if tables := await scans(list(noted)):
                wrong[f"{key} {descending}"] = tables
    assert wrong == {}
