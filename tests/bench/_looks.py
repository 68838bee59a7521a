"""What is asked of the client base in the bench: every filter, orders, combinations, searches; and the same by hand.

By hand means the shortest condition on `customer_facts f` that somebody who knows the tables would write for this very
question. `{name}` is a number that `marks` reads from the base, so that "a few" are as few in a base of any size.
"""

from dataclasses import dataclass

from loyalty import db
from loyalty.segments.filters import FILTERS


@dataclass(frozen=True, slots=True)
class Asked:
    """A look: its words, its filter as in an address, the condition by hand, and the order."""

    words: str
    filter: str
    by_hand: str
    order: str = "last_visit"

    def with_marks(self, known: dict[str, int]) -> "Asked":
        """The same with its numbers."""
        return Asked(self.words, self.filter.format(**known), self.by_hand.format(**known), self.order)


def _fact(name: str, column: str, mark: str) -> Asked:
    words = {"half": "half", "few": "one in a thousand"}[mark.rpartition("_")[2]]
    return Asked(f"{name}: {words}", f"{name}:between:{{{mark}}}..", f"f.{column} >= {{{mark}}}")


def _pair(table: str, of: str, value: str) -> str:
    return f"EXISTS (SELECT FROM {table} p WHERE p.customer_id = f.customer_id AND p.{of} = {value})"


def _profile(condition: str) -> str:
    return f"EXISTS (SELECT FROM customer c WHERE c.id = f.customer_id AND {condition})"


def _appointment(condition: str) -> str:
    return f"EXISTS (SELECT FROM appointment a WHERE a.customer_id = f.customer_id AND {condition})"


def _account(condition: str) -> str:
    return f"EXISTS (SELECT FROM messenger_account a WHERE a.customer_id = f.customer_id AND {condition})"


RANGES = ("sold", "paid", "receipts", "visits", "balance", "earned", "burnt", "expired")
MARKS = """
SELECT {columns}, (SELECT min(id) FROM location) AS location, (SELECT min(id) FROM category) AS category,
    (SELECT max(p.category_id) FROM customer_category p WHERE rule_id IS NOT NULL) AS by_rule,
    (SELECT min(id) FROM segment WHERE conditions IS NULL) AS filled,
    (SELECT min(id) FROM segment WHERE conditions IS NOT NULL) AS asking,
    (SELECT max(id) FROM importance_class) AS class, (SELECT min(id) FROM team_member) AS member,
    (SELECT min(id) FROM service) AS service, (SELECT min(id) FROM service_category) AS service_category,
    (SELECT min(id) FROM entry_link) AS link, (SELECT min(id) FROM question WHERE kind = 'choice') AS question,
    (SELECT max(created_by_id) FROM customer) AS staff, (SELECT coalesce(max(id), 0) FROM campaign) AS campaign
FROM customer_facts
"""


async def marks() -> dict[str, int]:
    """The numbers that looks ask with: of each sum what half of the people have, and what one in a thousand has."""
    columns = ", ".join(
        f"percentile_disc({share}) WITHIN GROUP (ORDER BY {name}) AS {name}_{word}"
        for name in RANGES
        for word, share in (("half", 0.5), ("few", 0.999))
    )
    [row] = await db.fetch_patiently(120, MARKS.format(columns=columns))
    return row


FILTER_LOOKS = (
    Asked("category", "category:any:{category}", _pair("customer_category", "category_id", "{category}")),
    Asked("category by a rule", "category:any:{by_rule}", _pair("customer_category", "category_id", "{by_rule}")),
    Asked("segment, filled", "segment:any:{filled}", _pair("segment_member", "segment_id", "{filled}")),
    Asked(
        "segment by conditions",
        "segment:any:{asking}",
        "f.visits >= 5 AND NOT f.last_visit_at >= now() - INTERVAL '30 days'",
    ),
    Asked("importance", "importance:any:{class}", "f.importance_id = {class}"),
    *(_fact(name, name, f"{name}_{mark}") for name in RANGES for mark in ("half", "few")),
    Asked(
        "average_receipt",
        "average_receipt:between:200000..",
        "f.receipts > 0 AND f.sold / greatest(f.receipts, 1) >= 200000",
    ),
    Asked("tips", "tips:between:10000..", "f.tips >= 10000"),
    Asked("discount", "discount:between:500..", "f.discount_bp >= 500"),
    Asked("frequency", "frequency:between:..20", "f.frequency BETWEEN 1 AND 20"),
    Asked("last_visit", "last_visit:in:last-30", "f.last_visit_at > now() - INTERVAL '30 days'", "sold"),
    Asked("first_visit", "first_visit:in:last-30", "f.first_visit_at > now() - INTERVAL '30 days'"),
    Asked("visited_location", "visited_location:any:{location}",
        _pair("customer_location", "location_id", "{location}")),
    Asked("locations", "locations:between:3..", "f.locations >= 3"),
    Asked("home_location", "home_location:any:{location}", _profile("c.home_location_id = {location}")),
    Asked("debt", "debt:between:1..", "f.debt >= 1"),
    Asked(
        "expiring",
        "expiring:in:next-7",
        "EXISTS (SELECT FROM bonus_lot l WHERE l.customer_id = f.customer_id AND l.remaining > 0"
        " AND l.expires_at BETWEEN now() AND now() + INTERVAL '7 days')",
    ),
    Asked("tier", "tier:any:2", "f.tier_id = 2"),
    Asked("nps", "nps:between:9..", "f.nps >= 9"),
    Asked("nps_group", "nps_group:any:detractor", "f.nps BETWEEN 0 AND 6"),
    Asked("nps_at", "nps_at:in:last-30", "f.nps_at > now() - INTERVAL '30 days'"),
    Asked(
        "next_booking", "next_booking:in:next-14", "f.next_booking_at BETWEEN now() AND now() + INTERVAL '14 days'"
    ),
    Asked("booked_with", "booked_with:any:{member}", _appointment(
        "a.state = 'planned' AND a.starts_at > now() AND a.team_member_id = {member}")),
    Asked("booked", "booked:in:last-30", _appointment(
        "a.state <> 'cancelled' AND a.starts_at BETWEEN now() - INTERVAL '30 days' AND now()")),
    Asked("booked_online", "booked_online:yes", _appointment("a.source = 'online'")),
    Asked("missed", "missed:in:last-30", _appointment(
        "a.state = 'no_show' AND a.starts_at BETWEEN now() - INTERVAL '30 days' AND now()")),
    Asked("served_by", "served_by:any:{member}", _pair("customer_team_member", "team_member_id", "{member}")),
    Asked("service", "service:any:{service}", _pair("customer_service", "service_id", "{service}")),
    Asked("service_category", "service_category:any:{service_category}",
        _pair("customer_service_category", "service_category_id", "{service_category}")),
    Asked("gender", "gender:any:f", _profile("c.gender = 'f'")),
    Asked("age", "age:between:18..20", _profile(
        "c.birthday > now() - INTERVAL '21 years' AND c.birthday <= now() - INTERVAL '18 years'")),
    Asked("birthday", "birthday:month:2", "f.birthday_code BETWEEN 201 AND 231"),
    Asked("language", "language:any:uk", _profile("c.language = 'uk'")),
    Asked("has_phone: no", "has_phone:no", _profile("c.phone IS NULL")),
    Asked("phone_verified: no", "phone_verified:no", _profile("c.phone_verified_at IS NULL")),
    Asked("has_email", "has_email:yes", _profile("c.email IS NOT NULL")),
    Asked("answer", "answer:any:{question}-2", "EXISTS (SELECT FROM answer a WHERE a.customer_id = f.customer_id"
        " AND a.question_id = {question} AND a.choice = 2)"),
    Asked("reachable", "reachable:any:whatsapp", "f.whatsapp", "balance"),
    Asked("unreachable", "unreachable:any:telegram", _account("a.channel = 'telegram' AND NOT a.is_active")),
    Asked("agreed: no", "agreed:no", "NOT EXISTS (SELECT FROM (SELECT granted FROM consent s WHERE"
        " s.customer_id = f.customer_id AND s.topic = 'marketing' ORDER BY s.id DESC LIMIT 1) word WHERE granted)"),
    Asked("stopped", "stopped:any:telegram", _account("a.channel = 'telegram' AND NOT a.takes_marketing")),
    Asked("wrote", "wrote:in:last-7", "EXISTS (SELECT FROM messenger_account a"
        " JOIN conversation t ON t.account_id = a.id"
        " WHERE a.customer_id = f.customer_id AND t.heard_at > now() - INTERVAL '7 days')"),
    Asked("created", "created:in:last-7", "f.created_at > now() - INTERVAL '7 days'"),
    Asked("created_via", "created_via:any:whatsapp", _profile("c.created_via = 'whatsapp'")),
    Asked("created_by", "created_by:any:{staff}", _profile("c.created_by_id = {staff}")),
    Asked("entry_link", "entry_link:any:{link}", _profile("c.entry_link_id = {link}")),
    Asked("campaign", "campaign:any:{campaign}", "EXISTS (SELECT FROM recipient r JOIN message m ON m.id = r.message_id"
        " WHERE r.customer_id = f.customer_id AND r.campaign_id = {campaign} AND m.status <> 'failed')"),
    Asked("campaign_link", "campaign_link:any:{campaign}", _pair("campaign_click", "campaign_id", "{campaign}")),
    Asked("was_invited", "was_invited:yes", "EXISTS (SELECT FROM referral r WHERE r.invitee_id = f.customer_id)"),
    Asked("has_invited", "has_invited:yes", "EXISTS (SELECT FROM referral r WHERE r.referrer_id = f.customer_id)"),
)  # fmt: skip
"""At least one look for each filter."""
assert {look.filter.partition(":")[0] for look in FILTER_LOOKS} == set(FILTERS), "a filter is not asked"

COMBINATIONS = (
    Asked("three: and", "sold:between:{sold_half}..,last_visit:in:last-90,gender:any:f",
        "f.sold >= {sold_half} AND f.last_visit_at > now() - INTERVAL '90 days' AND " + _profile("c.gender = 'f'")),
    Asked("three: and, or, not", "any(category:any:{category},balance:between:{balance_few}..),none(tier:any:2)",
        f"({_pair('customer_category', 'category_id', '{category}')} OR f.balance >= {{balance_few}})"
        " AND f.tier_id <> 2"),
    Asked("three: rare", "category:any:{category},served_by:any:{member},visits:between:20..",
        f"f.visits >= 20 AND {_pair('customer_team_member', 'team_member_id', '{member}')}"
        f" AND {_pair('customer_category', 'category_id', '{category}')}"),
    Asked("nobody", "sold:between:{sold_few}..,visits:between:..1", "f.sold >= {sold_few} AND f.visits <= 1"),
    Asked("everybody but a few", "none(sold:between:{sold_few}..)", "NOT f.sold >= {sold_few}"),
    Asked("lost: often, not lately, by name", "visits:between:10..,last_visit:not_in:last-60,reachable:any:telegram",
        "f.visits >= 10 AND f.last_visit_at < now() - INTERVAL '60 days' AND f.telegram", "sold"),
)  # fmt: skip

ORDERS = {
    "last_visit": "f.last_visit_at",
    "sold": "f.sold",
    "visits": "f.visits",
    "balance": "f.balance",
    "created": "f.created_at",
    "paid": "f.paid",
    "receipts": "f.receipts",
    "earned": "f.earned",
    "frequency": "(CASE f.frequency WHEN 0 THEN 1000000 ELSE f.frequency END)",
    "average_receipt": "(f.sold / greatest(f.receipts, 1))",
    "tier": "f.tier_id",
    "next_booking": "f.next_booking_at",
    "discount": "f.discount_bp",
    "birthday": "f.birthday_code",
}
"""Orders on the facts, by their SQL."""

BY_NUMBER = "SELECT id AS customer_id FROM customer WHERE {0}"
SEARCHES = (
    ("phone, whole", "{phone}", BY_NUMBER.format("phone = '{phone}'")),
    ("phone, a fragment", "73687", BY_NUMBER.format("phone LIKE '%73687%' OR card_number LIKE '73687%'")),
    ("phone, last four", "8525", BY_NUMBER.format("reverse(phone) LIKE '5258%' OR card_number LIKE '8525%'")),
    ("card, whole", "{card}", BY_NUMBER.format("card_number = '{card}'")),
    ("e-mail, beginning", "oksana_shev@", BY_NUMBER.format("lower(email) LIKE 'oksana\\_shev@%'")),
    ("name, rare", "їжакевич зоряна", BY_NUMBER.format(
        "search_name LIKE '%ижакевич%' AND search_name LIKE '%зоряна%'")),
    ("name and family name", "мария соколова", BY_NUMBER.format(
        "search_name LIKE '%мария%' AND search_name LIKE '%соколова%'")),
    ("name, in Latin", "maria sokolova", BY_NUMBER.format(
        "search_name LIKE '%maria%' AND search_name LIKE '%sokolova%'")),
    ("name, one of fifty", "мария", BY_NUMBER.format("search_name LIKE '%мария%'")),
    ("two letters", "ив", BY_NUMBER.format("search_name LIKE '% ив%'")),
)  # fmt: skip
"""(what it is, what is typed, who is found, by hand)"""
COUNTED = ("category", "sold: half", "last_visit", "gender", "three: and, or, not", "expiring", "agreed: no")
"""Looks whose sums are counted, too."""
