"""Columns of the client base in the reader's words: what each is called, what it means, how its cell is written.

The definitions are those of docs/glossary.md. `COLUMNS` has an entry for each one of
`loyalty.segments.queries.columns.COLUMNS`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from admin_web.i18n import gettext, mark
from loyalty.segments.queries import columns


@dataclass(frozen=True, slots=True)
class ColumnWords:
    """A column for people. cell: how a value of it is written; fact: where it stands in a row.

    filters: keys of the filters that ask about it; the first one opens from its header. up: the first click on the
    header sorts upwards.
    """

    label: str
    cell: str
    fact: str = ""
    hint: str = ""
    filters: tuple[str, ...] = ()
    up: bool = False

    @property
    def is_number(self) -> bool:
        """Whether it stands on the right."""
        return self.cell in {"money", "bonuses", "num", "share", "gap", "score"}

    @property
    def text(self) -> str:
        """The label in the reader's language."""
        return gettext(self.label)

    @property
    def meaning(self) -> str:
        """The definition in the reader's language; empty where the label says all."""
        return gettext(self.hint) if self.hint else ""


COLUMNS = {
    "name": ColumnWords(mark("Customer"), "name", up=True),
    "phone": ColumnWords(mark("Phone"), "phone", "phone", filters=("has_phone",), up=True),
    "email": ColumnWords(mark("E-mail"), "text", "email", filters=("has_email",), up=True),
    "card_number": ColumnWords(mark("Card"), "card", "card_number", up=True),
    "messengers": ColumnWords(
        mark("Messengers"), "messengers", hint=mark("Where something arrives when we write."), filters=("reachable",)
    ),
    "tier": ColumnWords(mark("Level"), "tier", "tier_id", filters=("tier",)),
    "categories": ColumnWords(mark("Categories"), "categories", "categories", filters=("category",)),
    "segments": ColumnWords(
        mark("Segments"), "names", "segments", mark("Segments filled by hand that the customer is in."), ("segment",)
    ),
    "importance": ColumnWords(
        mark("Importance"),
        "text",
        "importance",
        mark("A class that the owner names and orders, given by hand or by a rule."),
        ("importance",),
    ),
    "sold": ColumnWords(
        mark("Spent"), "money", "sold", mark("Receipts after discounts, before bonuses, less refunds."), ("sold",)
    ),
    "paid": ColumnWords(
        mark("Paid"),
        "money",
        "paid",
        mark("The money part of what was spent: without bonuses, less refunds."),
        ("paid",),
    ),
    "receipts": ColumnWords(
        mark("Receipts"), "num", "receipts", mark("Sales that are not wholly refunded."), ("receipts",)
    ),
    "average_receipt": ColumnWords(
        mark("Average receipt"),
        "money",
        "average_receipt",
        mark("What was spent, by the number of receipts."),
        ("average_receipt",),
    ),
    "discount": ColumnWords(
        mark("Discount"), "share", "discount_bp", mark("Personal discount, given by hand or by a rule."), ("discount",)
    ),
    "tips": ColumnWords(mark("Tips"), "money", "tips", mark("Tips of appointments that came."), ("tips",)),
    "visits": ColumnWords(
        mark("Visits"),
        "num",
        "visits",
        mark(
            "Days with a receipt that is not wholly refunded, or with an appointment that came: once per location and"
            " day."
        ),
        ("visits",),
    ),
    "frequency": ColumnWords(
        mark("Frequency"),
        "gap",
        "frequency",
        mark("Average days between visits over the last year, from three days with a visit on."),
        ("frequency",),
        up=True,
    ),
    "first_visit": ColumnWords(mark("First visit"), "ago", "first_visit_at", filters=("first_visit",)),
    "last_visit": ColumnWords(mark("Last visit"), "ago", "last_visit_at", filters=("last_visit",)),
    "locations": ColumnWords(
        mark("Locations visited"),
        "names",
        "locations",
        mark("Sorted by how many they are."),
        ("visited_location", "locations"),
    ),
    "home_location": ColumnWords(
        mark("Home location"),
        "text",
        "home_location",
        mark("Where the customer belongs, with or without a visit."),
        ("home_location",),
        up=True,
    ),
    "team_members": ColumnWords(mark("Served by"), "names", "team_members", filters=("served_by",)),
    "services": ColumnWords(mark("Services"), "names", "services", filters=("service", "service_category")),
    "next_booking": ColumnWords(mark("Next booking"), "moment", "next_booking_at", filters=("next_booking",), up=True),
    "balance": ColumnWords(
        mark("Bonuses"), "bonuses", "balance", mark("What is on account now; below zero it is a debt."), ("balance",)
    ),
    "earned": ColumnWords(mark("Bonuses earned"), "bonuses", "earned", filters=("earned",)),
    "burnt": ColumnWords(mark("Bonuses spent"), "bonuses", "burnt", filters=("burnt",)),
    "expired": ColumnWords(mark("Bonuses expired"), "bonuses", "expired", filters=("expired",)),
    "debt": ColumnWords(
        mark("Bonus debt"),
        "bonuses",
        "debt",
        mark("What refunds took back and the account could not cover."),
        ("debt",),
    ),
    "nps": ColumnWords(
        mark("NPS"),
        "score",
        "nps",
        mark("The newest score that the customer gave, 0 to 10."),
        ("nps", "nps_group", "nps_at"),
    ),
    "birthday": ColumnWords(
        mark("Birthday"), "birthday", "birthday", mark("Sorted by month and day."), ("birthday", "age"), up=True
    ),
    "gender": ColumnWords(mark("Gender"), "gender", "gender", filters=("gender",), up=True),
    "language": ColumnWords(mark("Language"), "language", "language", filters=("language",), up=True),
    "created": ColumnWords(mark("Joined"), "ago", "created_at", mark("When the card was made."), ("created",)),
    "created_via": ColumnWords(
        mark("Joined via"), "via", "created_via", mark("By which door the customer came."), ("created_via",), up=True
    ),
    "created_by": ColumnWords(
        mark("Added by"), "text", "created_by", mark("The colleague who added the card."), ("created_by",), up=True
    ),
}

DEFAULT = ("name", "phone", "messengers", "categories", "tier", "visits", "sold", "balance", "last_visit")
"""The columns of who never chose any."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A column of the table as it is shown. pinned: it stays in sight when the table is scrolled sideways."""

    key: str
    words: ColumnWords
    pinned: bool

    @property
    def can_sort(self) -> bool:
        """Whether the base has an order by it."""
        return columns.COLUMNS[self.key].order is not None


def layout(chosen: Sequence[tuple[str, bool]] | None) -> list[Shown]:
    """The columns to show: those chosen, pinned ones first, the name before all. What nobody knows is left out."""
    pairs = [(key, pinned) for key, pinned in chosen or [(key, False) for key in DEFAULT] if key in COLUMNS]
    rest = [pair for pair in dict.fromkeys(pairs) if pair[0] != "name"]
    ordered = [("name", True), *(pair for pair in rest if pair[1]), *(pair for pair in rest if not pair[1])]
    return [Shown(key, COLUMNS[key], pinned) for key, pinned in ordered]


def layout_text(shown: Sequence[Shown]) -> str:
    """The columns as they stand in an address: `name*.sold.visits`; a star is a pin."""
    return ".".join(f"{one.key}{'*' * one.pinned}" for one in shown)


def layout_from(text: str) -> list[tuple[str, bool]]:
    """Read what `layout_text` wrote; what nobody knows is left out."""
    parts = [(part.removesuffix("*"), part.endswith("*")) for part in text.split(".")]
    return [(key, pinned) for key, pinned in parts if key in COLUMNS]


def columns_offered(shown: Sequence[Shown]) -> list[tuple[str, ColumnWords]]:
    """Every column to choose from: those that are shown first and in their order, then the rest."""
    keys = [column.key for column in shown]
    return [(key, COLUMNS[key]) for key in (*keys, *(key for key in COLUMNS if key not in keys))]
