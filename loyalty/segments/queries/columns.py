"""Columns of the client base: what each is in SQL, and how the base is sorted by it. Pure text.

`COLUMNS` lists them. In SQL `c` is the profile, `f` the facts. An indexed order is walked from its place until a page
is full; any other reads the whole base, a second at a million at most.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Order:
    """An order of the base. sql: of the value, never NULL; type: what it is compared as; the smallest column wins ties.

    on_profile: the value stands in the profile, not in the facts. index: whether one walks it.
    """

    sql: str
    type: str
    on_profile: bool = False
    index: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what is read for a row of it, besides the id, name and phone that every row has."""

    select: str = ""
    order: Order | None = None


def _fact(name: str, type_: str = "bigint", *, index: bool = False) -> Column:
    return Column(f"f.{name}", Order(f"f.{name}", type_, index=index))


def _profile(name: str, sort: str, type_: str = "text") -> Column:
    return Column(f"c.{name}", Order(sort, type_, on_profile=True))


LOCATIONS = """
    (SELECT array_agg(l.name || CASE WHEN p.visits > 1 THEN ' ×' || p.visits ELSE '' END ORDER BY p.visits DESC, l.id)
    FROM customer_location p JOIN location l ON l.id = p.location_id WHERE p.customer_id = c.id AND p.visits > 0)
    AS locations
"""
CATEGORIES = """
    (SELECT jsonb_agg(jsonb_build_object('id', g.id, 'name', g.name, 'color', g.color) ORDER BY lower(g.name), g.id)
    FROM customer_category p JOIN category g ON g.id = p.category_id
    WHERE p.customer_id = c.id AND g.archived_at IS NULL) AS categories
"""
SEGMENTS = """
    (SELECT array_agg(s.name ORDER BY lower(s.name), s.id) FROM segment_member p JOIN segment s ON s.id = p.segment_id
    WHERE p.customer_id = c.id AND s.archived_at IS NULL) AS segments
"""
TEAM_MEMBERS = """
    (SELECT array_agg(m.name ORDER BY p.visits DESC, m.id) FROM customer_team_member p
    JOIN team_member m ON m.id = p.team_member_id WHERE p.customer_id = c.id AND p.visits > 0) AS team_members
"""
SERVICES = """
    (SELECT array_agg(s.name ORDER BY p.visits DESC, s.id) FROM customer_service p
    JOIN service s ON s.id = p.service_id WHERE p.customer_id = c.id AND p.visits > 0) AS services
"""
MESSENGERS = "f.telegram, f.whatsapp, f.sms, f.email AS by_email"
RANK = "coalesce((SELECT i.rank FROM importance_class i WHERE i.id = f.importance_id), 0)"
HOME = "(SELECT l.name FROM location l WHERE l.id = c.home_location_id)"
STAFF = "(SELECT s.name FROM staff_member s WHERE s.id = c.created_by_id)"
IMPORTANCE = "(SELECT i.name FROM importance_class i WHERE i.id = f.importance_id) AS importance"

COLUMNS = {
    # Index: customer_name_order.
    "name": Column("", Order("lower(c.name)", "text", on_profile=True, index=True)),
    "phone": Column("", Order("coalesce(c.phone, '')", "text", on_profile=True)),
    "email": _profile("email", "coalesce(lower(c.email), '')"),
    "card_number": _profile("card_number", "c.card_number"),
    "messengers": Column(MESSENGERS, Order("(f.telegram::int * 8 + f.whatsapp::int * 4 + f.sms::int)", "int")),
    "tier": _fact("tier_id", "int"),
    "categories": Column(CATEGORIES),
    "segments": Column(SEGMENTS),
    "importance": Column(IMPORTANCE, Order(RANK, "int")),
    # Indexes: customer_facts_sold, _visits, _last_visit, _balance, _created.
    "sold": _fact("sold", index=True),
    "paid": _fact("paid"),
    "receipts": _fact("receipts"),
    "average_receipt": Column(
        "f.sold / greatest(f.receipts, 1) AS average_receipt, f.receipts",
        Order("(f.sold / greatest(f.receipts, 1))", "bigint"),
    ),
    "discount": _fact("discount_bp"),
    "tips": _fact("tips"),
    "visits": _fact("visits", index=True),
    # Whoever has no frequency comes after those who have one.
    "frequency": Column("f.frequency", Order("(CASE f.frequency WHEN 0 THEN 1000000 ELSE f.frequency END)", "bigint")),
    "first_visit": _fact("first_visit_at", "timestamptz"),
    "last_visit": _fact("last_visit_at", "timestamptz", index=True),
    "locations": Column(LOCATIONS, Order("f.locations", "int")),
    "home_location": Column(
        f"{HOME} AS home_location", Order("coalesce(c.home_location_id, 0)", "int", on_profile=True)
    ),
    "team_members": Column(TEAM_MEMBERS),
    "services": Column(SERVICES),
    "next_booking": _fact("next_booking_at", "timestamptz"),
    "balance": _fact("balance", index=True),
    "earned": _fact("earned"),
    "burnt": _fact("burnt"),
    "expired": _fact("expired"),
    "debt": _fact("debt"),
    "nps": _fact("nps", "int"),
    "birthday": Column("c.birthday", Order("f.birthday_code", "int")),
    "gender": _profile("gender", "coalesce(c.gender, '')"),
    "language": _profile("language", "c.language"),
    "created": _fact("created_at", "timestamptz", index=True),
    "created_via": _profile("created_via", "c.created_via"),
    "created_by": Column(f"{STAFF} AS created_by", Order("coalesce(c.created_by_id, 0)", "int", on_profile=True)),
}
"""Every column by its key, in the order in which they are offered."""
