"""Filters find whom a plain reading of the same words finds: the same ids, count and sums, in the same order."""

import os
import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from loyalty import db
from loyalty.segments.filters import FILTERS, checked
from loyalty.segments.filters.base import ChoiceFilter
from loyalty.segments.queries.base import Look, base_count, base_ids, base_page, base_totals, reasons
from loyalty.segments.rules.trees import Condition, Group, Joiner, from_body, to_body, tree_from, tree_text

pytestmark = pytest.mark.prove

FULL = bool(os.environ.get("REGULARS_PROVE"))
CUSTOMERS = 5_000 if FULL else 600
TREES = 200 if FULL else 60
ZONE = ZoneInfo("Europe/Moscow")
NOW = datetime(2026, 12, 20, 9, 0, tzinfo=UTC)
TODAY = date(2026, 12, 20)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
CHANNELS = ("telegram", "whatsapp", "sms", "email")
ARRIVED = {"sent", "delivered", "read", "unknown"}


@dataclass
class Person:
    """Somebody made up, as plain values."""

    id: int
    name: str
    phone: str | None
    verified: bool
    email: str | None
    gender: str | None
    birthday: date | None
    language: str
    home: int | None
    created: datetime
    via: str
    staff: int | None
    link: int | None
    hidden: bool
    numbers: dict[str, int]
    first_visit: datetime
    last_visit: datetime
    next_booking: datetime
    nps: int
    nps_at: datetime
    tier: int
    importance: int
    reach: set[str]
    blocked: set[str]
    stopped: set[str]
    heard: datetime | None
    agreed: bool | None
    places: dict[int, int] = field(default_factory=dict)
    categories: set[int] = field(default_factory=set)
    segments: set[int] = field(default_factory=set)
    team: set[int] = field(default_factory=set)
    services: set[int] = field(default_factory=set)
    service_categories: set[int] = field(default_factory=set)
    bookings: list[tuple[datetime, str, str, int | None]] = field(default_factory=list)
    lots: list[tuple[int, datetime | None]] = field(default_factory=list)
    answers: set[tuple[int, int]] = field(default_factory=set)
    referrer: int | None = None
    invited: bool = False
    got: dict[int, str] = field(default_factory=dict)  # by campaign, what became of its message
    followed: set[int] = field(default_factory=set)
    owner: int | None = None  # of a card that became another one's
    others: list["Person"] = field(default_factory=list)  # such cards

    @property
    def received(self) -> set[str]:
        """Campaigns that went out to them, by any card of theirs, or may have."""
        told = {number for one in (self, *self.others) for number, fate in one.got.items() if fate in ARRIVED}
        return {str(number) for number in told}

    @property
    def clicked(self) -> set[str]:
        """Campaigns of which they followed a link."""
        return {str(number) for one in (self, *self.others) for number in one.followed}


# ------------------------------------------------------------------------------ the plain reading


def years_old(birthday: date) -> int:
    kept = (birthday.month, birthday.day)
    if kept == (2, 29) and TODAY.year % 4:
        kept = (2, 28)
    return TODAY.year - birthday.year - ((TODAY.month, TODAY.day) < kept)


def local_day(moment: datetime) -> date:
    return moment.astimezone(ZONE).date()


def in_period(moment: datetime, value: str) -> bool:
    """Days are compared as days, one by one."""
    day = local_day(moment)
    if value.startswith("last-"):
        return TODAY - timedelta(days=int(value[5:])) <= day <= TODAY
    if value.startswith("next-"):
        return moment >= NOW and day <= TODAY + timedelta(days=int(value[5:]))
    if value.startswith("older-"):
        return day < TODAY - timedelta(days=int(value[6:]))
    first, last = value.split("..")
    return (not first or day >= date.fromisoformat(first)) and (not last or day <= date.fromisoformat(last))


def between(number: int, value: str) -> bool:
    low, high = value.split("..")
    return (not low or number >= int(low)) and (not high or number <= int(high))


def birthday_is_soon(birthday: date, days: int) -> bool:
    for ahead in range(days + 1):
        day = TODAY + timedelta(days=ahead)
        if (birthday.month, birthday.day) == (day.month, day.day):
            return True
        if (birthday.month, birthday.day) == (2, 29) and (day.month, day.day) == (2, 28) and day.year % 4:
            return True
    return False


def moment_holds(moment: datetime, operator: str, value: str) -> bool:
    if operator == "never":
        return moment == EPOCH
    if operator == "ever":
        return moment != EPOCH
    inside = moment != EPOCH and in_period(moment, value)
    return inside if operator == "in" else not inside


def chosen(has: set, operator: str, value: str) -> bool:
    wanted = {type(next(iter(has), ""))(one) for one in value.split(".")}
    if operator == "all":
        return wanted <= has
    return bool(wanted & has) == (operator == "any")


def some(moments: list[datetime], operator: str, value: str) -> bool:
    return any(in_period(moment, value) for moment in moments) == (operator == "in")


def holds(one: Person, condition: Condition) -> bool:  # noqa: C901, PLR0912  a plain list of what each filter means
    key, operator, value = condition.field, condition.operator, condition.value
    numbers = one.numbers
    if key == "average_receipt":
        return numbers["receipts"] > 0 and between(numbers["sold"] // numbers["receipts"], value)
    if key == "frequency":
        return numbers["frequency"] > 0 and between(numbers["frequency"], value)
    if key in numbers:
        return between(numbers[key], value)
    if key == "locations":
        return between(sum(1 for visits in one.places.values() if visits), value)
    if key == "age":
        return one.birthday is not None and between(years_old(one.birthday), value)
    match key:
        case "last_visit":
            return moment_holds(one.last_visit, operator, value)
        case "first_visit":
            return moment_holds(one.first_visit, operator, value)
        case "created":
            return moment_holds(one.created, operator, value)
        case "next_booking":
            ahead = one.next_booking if one.next_booking > NOW else EPOCH
            return moment_holds(ahead, operator, value)
        case "nps":
            return one.nps >= 0 and between(one.nps, value)
        case "nps_group":
            group = "never" if one.nps < 0 else "detractor" if one.nps < 7 else "passive" if one.nps < 9 else "promoter"
            return chosen({group}, operator, value)
        case "nps_at":
            return moment_holds(one.nps_at, operator, value)
        case "visited_location":
            return chosen({place for place, visits in one.places.items() if visits} or {-1}, operator, value)
        case "home_location":
            return chosen({one.home or -1}, operator, value)
        case "tier":
            return chosen({one.tier}, operator, value)
        case "importance":
            return chosen({one.importance}, operator, value)
        case "category":
            return chosen(one.categories or {-1}, operator, value)
        case "segment":
            return chosen(one.segments or {-1}, operator, value)
        case "served_by":
            return chosen(one.team or {-1}, operator, value)
        case "service":
            return chosen(one.services or {-1}, operator, value)
        case "service_category":
            return chosen(one.service_categories or {-1}, operator, value)
        case "created_by":
            return chosen({one.staff or -1}, operator, value)
        case "entry_link":
            return chosen({one.link or -1}, operator, value)
        case "gender":
            return chosen({one.gender or "unknown"}, operator, value)
        case "language":
            return chosen({one.language}, operator, value)
        case "created_via":
            return chosen({one.via}, operator, value)
        case "reachable":
            return chosen(one.reach or {""}, operator, value)
        case "unreachable":
            return chosen(one.blocked or {""}, operator, value)
        case "stopped":
            return chosen(one.stopped or {""}, operator, value)
        case "answer":
            return chosen({f"{question}-{choice}" for question, choice in one.answers} or {""}, operator, value)
        case "birthday" if operator in ("known", "unknown"):
            return (one.birthday is not None) == (operator == "known")
        case "birthday" if operator == "month":
            return one.birthday is not None and str(one.birthday.month) in value.split(".")
        case "birthday":
            return one.birthday is not None and birthday_is_soon(one.birthday, int(value))
        case "booked":
            return some([at for at, state, _, _ in one.bookings if state != "cancelled"], operator, value)
        case "missed":
            return some([at for at, state, _, _ in one.bookings if state == "no_show"], operator, value)
        case "booked_with":
            teams = {str(team) for at, state, _, team in one.bookings if state == "planned" and at > NOW}
            return bool(teams & set(value.split("."))) == (operator == "any")
        case "expiring":
            return some([at for left, at in one.lots if left and at], operator, value)
        case "campaign":
            return chosen(one.received or {""}, operator, value)
        case "campaign_link":
            return chosen(one.clicked or {""}, operator, value)
        case "wrote":
            return some([one.heard] if one.heard else [], operator, value)
    flags = {
        "booked_online": any(source == "online" for _, _, source, _ in one.bookings),
        "has_phone": one.phone is not None,
        "phone_verified": one.verified,
        "has_email": one.email is not None,
        "agreed": bool(one.agreed),
        "was_invited": one.referrer is not None,
        "has_invited": one.invited,
    }
    return flags[key] == (operator == "yes")


def fits(one: Person, tree: Group) -> bool:
    answers = [holds(one, part) if isinstance(part, Condition) else fits(one, part) for part in tree.parts]
    if tree.joiner is Joiner.ALL:
        return all(answers)
    if tree.joiner is Joiner.ANY:
        return any(answers) or not answers
    return not any(answers)


# ------------------------------------------------------------------------------ the made-up base


def made_up(number: int, dice: random.Random) -> Person:
    def moment(days: int) -> datetime:
        return NOW - timedelta(days=dice.randint(0, days), minutes=dice.randint(0, 2000))

    has_visits = dice.random() < 0.8
    last = moment(500) if has_visits else EPOCH
    receipts = dice.randint(1, 40) if has_visits else 0
    year = dice.choice((1950, 1980, 1996, 2000, 2004, 2010))
    days = [date(year, 1, 1) + timedelta(days=dice.randint(0, 364)), date(2000, 2, 29), date(1990, 2, 28)]
    booked = [
        (NOW + timedelta(days=dice.randint(-200, 30), minutes=dice.randint(1, 900)), dice.choice(("came", "no_show",
            "cancelled", "planned")), dice.choice(("online", "phone", "walk_in")), dice.choice((1, 2, 3, None)))
        for _ in range(dice.choice((0, 0, 0, 1, 3)))
    ]  # fmt: skip
    planned = [at for at, state, _, _ in booked if state == "planned" and at > NOW]
    score = dice.choice((-1, -1, *range(11)))
    reach = {channel for channel in CHANNELS if dice.random() < 0.35}
    blocked = {channel for channel in CHANNELS if channel not in reach and dice.random() < 0.2}
    return Person(
        id=number,
        name=dice.choice(("Анна", "Борис", "Zoe", "Їжак")) + f" {number}",
        phone=f"+7916{number:07d}" if dice.random() < 0.9 else None,
        verified=dice.random() < 0.5,
        email=f"p{number}@mail.example" if dice.random() < 0.4 else None,
        gender=dice.choice(("f", "m", None)),
        birthday=dice.choice((*days, days[0], None)),
        language=dice.choice(("en", "ru", "uk")),
        home=dice.choice((1, 2, 3, None)),
        created=moment(900),
        via=dice.choice(("telegram", "whatsapp", "cashier", "panel", "import", "api", "booking")),
        staff=dice.choice((1, 2, None)),
        link=dice.choice((1, 2, None, None)),
        hidden=dice.random() < 0.03,
        numbers={
            "sold": receipts * dice.randint(100, 9000) * 10,
            "paid": receipts * dice.randint(100, 900) * 10,
            "receipts": receipts,
            "visits": receipts,
            "frequency": dice.choice((0, 35, 70, 300)),
            "tips": dice.choice((0, 0, 500, 10_000)),
            "discount": dice.choice((0, 0, 0, 500, 1000)),
            "balance": dice.randint(-200, 5000) * 100,
            "debt": dice.choice((0, 0, 0, 200)),
            "earned": dice.randint(0, 9000) * 100,
            "burnt": dice.randint(0, 9000) * 100,
            "expired": dice.choice((0, 5000, 30_000, 90_000)),
        },
        first_visit=last - timedelta(days=dice.randint(0, 300)) if has_visits else EPOCH,
        last_visit=last,
        next_booking=min(planned, default=dice.choice((EPOCH, NOW - timedelta(hours=3)))),
        nps=score,
        nps_at=moment(400) if score >= 0 else EPOCH,
        tier=dice.choice((0, 0, 1, 2)),
        importance=dice.choice((0, 0, 1, 2, 3)),
        reach=reach,
        blocked=blocked,
        stopped={channel for channel in reach | blocked if dice.random() < 0.2},
        heard=moment(300) if "telegram" in reach else None,
        agreed=dice.choice((True, True, False, None)),
        places={place: dice.randint(0, 3) for place in (1, 2, 3) if dice.random() < 0.4},
        categories={one for one in (1, 2, 3) if dice.random() < 0.25},
        segments={one for one in (1, 2) if dice.random() < 0.25},
        team={one for one in (1, 2, 3) if dice.random() < 0.2},
        services={one for one in (1, 2, 3) if dice.random() < 0.2},
        service_categories={one for one in (1, 2) if dice.random() < 0.2},
        bookings=booked,
        lots=[
            (dice.choice((0, 500)), dice.choice((None, NOW + timedelta(days=dice.randint(1, 90)))))
            for _ in range(dice.choice((0, 1, 2)))
        ],
        answers={(question, dice.randint(1, 3)) for question in (91, 92) if dice.random() < 0.3},
        referrer=dice.randint(1, number - 1) if number > 1 and dice.random() < 0.1 else None,
        got={
            campaign: dice.choice((*sorted(ARRIVED), "failed", "cancelled", "control", "skipped"))
            for campaign, share in ((1, 0.6), (2, 0.5), (3, 0.05))
            if dice.random() < share
        },
        followed={campaign for campaign, share in ((1, 0.3), (2, 0.2), (3, 0.02)) if dice.random() < share},
    )


SHOP = """
INSERT INTO location (id, name, address, time_zone, burns_without_code, is_open, created_at)
    SELECT i, 'Place ' || i, '', 'Europe/Moscow', false, true, $1 FROM generate_series(1, 3) i;
INSERT INTO staff_member (id, email, name, role, sessions_from, is_active, created_at)
    SELECT i, i || '@x.example', 'S' || i, 'cashier', $1, true, $1 FROM generate_series(1, 2) i;
INSERT INTO entry_link (id, code, name, source, created_at)
    SELECT i, 'code' || i, 'Link ' || i, '', $1 FROM generate_series(1, 2) i;
INSERT INTO category (id, name, color, created_at) SELECT i, 'C' || i, 'blue', $1 FROM generate_series(1, 3) i;
INSERT INTO segment (id, name, description, is_at_till, created_at)
    SELECT i, 'G' || i, '', false, $1 FROM generate_series(1, 2) i;
INSERT INTO team_member (id, name, position, created_at) SELECT i, 'T' || i, '', $1 FROM generate_series(1, 3) i;
INSERT INTO service_category (id, name, created_at) SELECT i, 'K' || i, $1 FROM generate_series(1, 2) i;
INSERT INTO service (id, name, created_at) SELECT i, 'V' || i, $1 FROM generate_series(1, 3) i;
INSERT INTO campaign (id, key, name, topic, texts, channels, state, acknowledged_version, acknowledged_language,
    acknowledged_text, created_at, resumed_at, resumed_from, place, total, skipped, queued, sent, delivered, read,
    failed, unknown, cancelled, counted_at)
    SELECT i, 'key ' || i, 'Letter ' || i, 'marketing', '{}', '', 'finished', 1, 'ru', '', $1, $1, 0, 0, 1, 0, 0, 0, 0,
        0, 0, 0, 0, $1 FROM generate_series(1, 3) i;
INSERT INTO question (id, kind, labels, choices, is_required, is_asked, position, updated_at)
    SELECT i, 'choice', '{"ru": "Q"}', '[]', false, true, i, $1 FROM generate_series(91, 92) i
"""


async def people(seed: int, count: int) -> list[Person]:
    """Write the made-up base, and hand it over as plain values."""
    dice = random.Random(seed)
    made = [made_up(number, dice) for number in range(1, count + 1)]
    for one in made:
        if one.referrer:
            made[one.referrer - 1].invited = True
        # Some of those who are out of sight are only another card of somebody.
        if one.hidden and one.id % 2:
            owner = next(other for other in made if not other.hidden and other.id > one.id // 2)
            one.owner = owner.id
            owner.others.append(one)
    for statement in SHOP.split(";"):
        await db.execute(statement, NOW)
    for table, columns, rows in tables(made):
        await db.copy_rows(table, columns.split(), rows)
    for table in ("customer", "customer_facts", "customer_category", "appointment", "messenger_account"):
        await db.execute(f"ANALYZE {table}")
    return made


def tables(made: list[Person]):
    """(table, columns, rows) for COPY."""
    yield (
        "customer",
        ("id name phone phone_verified_at email card_number gender birthday language home_location_id created_at"
        " updated_at created_via created_by_id entry_link_id deleted_at merged_into_id"),
        [
            (one.id, one.name, one.phone, NOW if one.verified else None, one.email, f"{one.id:08d}", one.gender,
             one.birthday, one.language, one.home, one.created, one.created, one.via, one.staff, one.link,
             NOW if one.hidden else None, one.owner)
            for one in made
        ],
    )  # fmt: skip
    yield (
        "customer_facts",
        ("customer_id created_at sold paid receipts visits first_visit_at last_visit_at balance debt earned burnt"
        " expired tier_id discount_bp birthday_code telegram whatsapp sms email is_hidden tips locations frequency"
        " next_booking_at importance_id nps nps_at"),
        [
            (one.id, one.created, one.numbers["sold"], one.numbers["paid"], one.numbers["receipts"],
             one.numbers["visits"], one.first_visit, one.last_visit, one.numbers["balance"], one.numbers["debt"],
             one.numbers["earned"], one.numbers["burnt"], one.numbers["expired"], one.tier, one.numbers["discount"],
             one.birthday.month * 100 + one.birthday.day if one.birthday else 0,
             *(channel in one.reach for channel in CHANNELS), one.hidden, one.numbers["tips"],
             sum(1 for visits in one.places.values() if visits), one.numbers["frequency"], one.next_booking,
             one.importance, one.nps, one.nps_at)
            for one in made
        ],
    )  # fmt: skip
    accounts = [(one, channel) for one in made for channel in CHANNELS if channel in one.reach | one.blocked]
    yield (
        "messenger_account",
        "id channel address customer_id name language is_active is_default created_at takes_marketing inactive_reason",
        [
            (number, channel, f"{channel}{one.id}", one.id, "", "ru", channel in one.reach, False, NOW,
             channel not in one.stopped, None if channel in one.reach else "blocked")
            for number, (one, channel) in enumerate(accounts, 1)
        ],
    )  # fmt: skip
    yield (
        "conversation",
        "account_id session last_message_at heard_at",
        [
            (number, "{}", NOW, one.heard)
            for number, (one, channel) in enumerate(accounts, 1)
            if channel == "telegram" and one.heard
        ],
    )
    yield (
        "consent",
        "customer_id topic granted source text_version at",
        [
            (one.id, "marketing", granted, "panel", "1", NOW)
            for one in made
            if one.agreed is not None
            # An older word that the newest one overrules.
            for granted in (not one.agreed, one.agreed)
        ],
    )
    yield (
        "customer_location",
        "location_id customer_id visits last_visit_at",
        [(place, one.id, visits, NOW) for one in made for place, visits in one.places.items()],
    )
    yield (
        "customer_category",
        "category_id customer_id added_at",
        [(category, one.id, NOW) for one in made for category in one.categories],
    )
    yield (
        "segment_member",
        "segment_id customer_id added_at",
        [(segment, one.id, NOW) for one in made for segment in one.segments],
    )
    for table, column, name in (
        ("customer_team_member", "team_member_id", "team"),
        ("customer_service", "service_id", "services"),
        ("customer_service_category", "service_category_id", "service_categories"),
    ):
        rows = [(other, one.id, 1, NOW) for one in made for other in getattr(one, name)]
        yield table, f"{column} customer_id visits last_visit_at", rows
    yield (
        "appointment",
        (
            "customer_id location_id team_member_id starts_at business_date state source tips created_at created_via"
            " updated_at"
        ),
        [
            (one.id, 1, team, at, local_day(at), state, source, 0, NOW, "api", NOW)
            for one in made
            for at, state, source, team in one.bookings
        ],
    )
    places = {one.id: number for number, (one, _) in enumerate(accounts, 1)}
    told = [(one, number, fate) for one in made if one.id in places for number, fate in one.got.items()]
    for one in made:
        # Who has no account was left out.
        one.got = one.got if one.id in places else dict.fromkeys(one.got, "skipped")
    yield (
        "message",
        (
            "id account_id customer_id channel direction kind content status priority dedupe_key created_at due_at"
            " attempts"
        ),
        [
            (number, places[one.id], one.id, "telegram", "out", "bulk", "{}", fate, 2, f"b{number}", NOW, NOW, 1)
            for number, (one, _, fate) in enumerate(told, 1)
            if fate not in {"control", "skipped"}
        ],
    )
    yield (
        "recipient",
        "campaign_id customer_id state account_id message_id",
        [
            (campaign, one.id, fate, None, None)
            if fate in {"control", "skipped"}
            else (campaign, one.id, "done", places[one.id], number)
            for number, (one, campaign, fate) in enumerate(told, 1)
        ],
    )
    yield (
        "campaign_click",
        "campaign_id customer_id button first_at clicks",
        [(campaign, one.id, 0, NOW, 1) for one in made for campaign in one.followed],
    )
    lots = [(one, left, until) for one in made for left, until in one.lots]
    yield (
        "bonus_entry",
        "id customer_id amount balance_after kind event operation_id actor_kind at business_date",
        [
            (number, one.id, 500, 500, "grant", "test", f"t{number}", "job", NOW, TODAY)
            for number, (one, _, _) in enumerate(lots, 1)
        ],
    )
    yield (
        "bonus_lot",
        "customer_id entry_id amount remaining activates_at expires_at source",
        [
            (one.id, number, 500, left, NOW - timedelta(days=1), until, "grant")
            for number, (one, left, until) in enumerate(lots, 1)
        ],
    )
    yield (
        "answer",
        "customer_id question_id choice via at",
        [(one.id, question, choice, "panel", NOW) for one in made for question, choice in one.answers],
    )
    yield (
        "referral",
        "invitee_id referrer_id state created_at",
        [(one.id, one.referrer, "waiting", NOW) for one in made if one.referrer],
    )


# ------------------------------------------------------------------------------ made-up conditions

CHOICES = {
    "category": "123", "segment": "12", "importance": "0123", "visited_location": "123", "home_location": "123",
    "tier": "012", "booked_with": "123", "served_by": "123", "service": "123", "service_category": "12",
    "created_by": "12", "entry_link": "12", "campaign": "123", "campaign_link": "123",
}  # fmt: skip
MONEY = {"sold", "paid", "average_receipt", "balance", "earned", "burnt", "expired"}
SCALES = {"nps": 5, "age": 30, "frequency": 70, "locations": 1, "debt": 150, "tips": 4000, "discount": 400}


def made_condition(key: str, dice: random.Random) -> Condition:
    one = FILTERS[key]
    operator = dice.choice(one.operators)
    match one.kind.value:
        case "range":
            scale = SCALES.get(key, 40_000 if key in MONEY else 20)
            low, high = sorted((dice.randint(0, scale), dice.randint(0, scale * 3)))
            value = dice.choice((f"{low}..", f"..{high}", f"{low}..{high}"))
        case "period" if operator in ("never", "ever"):
            value = ""
        case "period":
            value = dice.choice((f"last-{dice.randint(0, 400)}", f"older-{dice.randint(0, 400)}",
                f"next-{dice.randint(0, 60)}", "2026-05-01..2026-08-31", "..2026-06-30", "2026-11-01.."))  # fmt: skip
        case "days" if operator in ("known", "unknown"):
            value = ""
        case "days":
            value = str(dice.choice((0, 7, 14, 60, 75, 365))) if operator == "soon" else dice.choice(("2", "12.1", "7"))
        case "flag":
            value = ""
        case _:
            assert isinstance(one, ChoiceFilter)
            known = [code for code, _ in one.choices] or list(CHOICES.get(key, ())) or ["91-1", "91-2", "92-3"]
            value = ".".join(dice.sample(known, dice.randint(1, min(2, len(known)))))
    return Condition(key, operator, value)


def made_tree(dice: random.Random, depth: int = 1) -> Group:
    parts = [
        made_tree(dice, depth + 1) if depth < 4 and dice.random() < 0.3 else made_condition(dice.choice(KEYS), dice)
        for _ in range(dice.randint(1, 3))
    ]
    return Group(dice.choice(list(Joiner)), tuple(parts))


KEYS = list(FILTERS)
ORDERS = ("last_visit", "sold", "name", "created", "balance", "frequency", "locations", "created_by", "phone")


def sort_value(one: Person, order: str):
    return {
        "last_visit": one.last_visit, "sold": one.numbers["sold"], "name": one.name.lower(), "created": one.created,
        "balance": one.numbers["balance"], "frequency": one.numbers["frequency"] or 1_000_000,
        "locations": sum(1 for visits in one.places.values() if visits), "created_by": one.staff or 0,
        "phone": one.phone or "",
    }[order]  # fmt: skip


async def check(made: list[Person], tree: Group, order: str, *, descending: bool) -> int:
    """Ids, count, sums and the first two pages are those of the plain reading; returns how many there are."""
    expected = [one for one in made if not one.hidden and fits(one, tree)]
    # As it comes out of an address, or out of a table.
    asked = checked(tree_from(tree_text(from_body(to_body(tree)))))
    look = Look(tree=asked, order=order, descending=descending)
    assert await base_ids(look, now=NOW) == [one.id for one in expected], tree.text
    totals = await base_totals(look, now=NOW)
    sums = [sum(one.numbers[name] for one in expected) for name in ("sold", "paid", "balance")]
    assert [totals.count, totals.sold, totals.paid, totals.balance] == [len(expected), *sums]
    assert await base_count(look, now=NOW, at_most=100) == min(101, len(expected))
    expected.sort(key=lambda one: (sort_value(one, order), one.id), reverse=descending)
    page = await base_page(look, columns=["name"], now=NOW)
    assert [row["id"] for row in page.rows] == [one.id for one in expected[:50]], (tree.text, order)
    if page.following:
        second = await base_page(look, columns=["name"], now=NOW, after=page.following)
        assert [row["id"] for row in second.rows] == [one.id for one in expected[50:100]], (tree.text, order)
        back = await base_page(look, columns=["name"], now=NOW, before=second.previous)
        assert [row["id"] for row in back.rows] == [row["id"] for row in page.rows]
    return len(expected)


@pytest.fixture(params=["read whole", "walked"])
def ways(request, monkeypatch):
    """The two ways to find a page: as in a small base, and as in a large one."""
    if request.param == "walked":
        monkeypatch.setattr("loyalty.segments.queries.finding.SMALL", 10)
        monkeypatch.setattr("loyalty.segments.queries.finding.FEW", 100)
        monkeypatch.setattr("loyalty.segments.queries.finding.SHORTEST_WALK", 80)
        monkeypatch.setattr("loyalty.segments.queries.finding.PATIENCE", 1)
        monkeypatch.setattr("loyalty.segments.queries.finding.LONG_WALK", 300)
        monkeypatch.setattr("loyalty.segments.queries.finding.MANY", 20)


async def test_each_filter_finds_whom_a_plain_reading_finds(database, ways):
    made, dice = await people(1, CUSTOMERS), random.Random(2)
    found = set()
    for key in KEYS:
        tries = iter(range(40))
        left = set(FILTERS[key].operators)
        # Every operator, and on until some are found and some are not.
        while left or (key not in found and next(tries, None) is not None):
            condition = made_condition(key, dice)
            left.discard(condition.operator)
            tree = Group(Joiner.ALL, (condition,))
            if 0 < await check(made, tree, dice.choice(ORDERS), descending=dice.random() < 0.5) < CUSTOMERS * 0.97:
                found.add(key)
    # A filter that finds nobody, or everybody, in all its cases proves nothing.
    assert set(KEYS) - found == set()


async def test_random_trees_find_whom_a_plain_reading_finds(database, ways):
    made, dice = await people(3, CUSTOMERS), random.Random(4)
    for _ in range(TREES):
        await check(made, made_tree(dice), dice.choice(ORDERS), descending=dice.random() < 0.5)


async def test_why_somebody_is_there_is_what_the_plain_reading_says(database):
    made, dice = await people(5, 200), random.Random(6)
    for _ in range(20):
        tree = made_tree(dice)
        one = dice.choice(made)
        said = await reasons(one.id, tree, now=NOW)
        assert [(reason.condition, reason.holds) for reason in said] == [
            (condition, holds(one, condition)) for condition in tree.conditions
        ]


def test_the_made_up_now_is_a_local_day_of_its_own():
    assert datetime.combine(TODAY, time(12), ZONE).astimezone(UTC) == NOW
