"""Customers as a file: what can be asked for, what stands in its cells, what opens one. Pure."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Self
from zoneinfo import ZoneInfo

from loyalty.wording import phone_masked

KEPT_FOR = timedelta(days=7)
"""So long a file can be taken."""
ROWS_AT_ONCE = 2_000
PIECE_BYTES = 2**20
"""A file is kept, sent and read in pieces of so many bytes."""
ATTEMPTS = 5
"""So often a file is begun at most; what has killed five processes would kill the sixth."""
NEVER_YEAR = 1970
"""The epoch stands for "never" in the facts."""


class FileFormat(StrEnum):
    """As what customers are taken out."""

    XLSX = "xlsx"
    CSV = "csv"


MIMES = {
    FileFormat.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    FileFormat.CSV: "text/csv; charset=utf-8",
}


class ExportState(StrEnum):
    """How a file stands. `cancelled`: withdrawn, by a hand or by an erasure; `expired`: its pieces are gone."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


UNDER_WAY = frozenset({ExportState.QUEUED, ExportState.RUNNING})
WITHDRAWN, ERASED, NOT_MADE = "withdrawn", "somebody_was_erased", "not_made"
"""Why there is no file any more, or never was one."""


class CellKind(StrEnum):
    """How a value is written."""

    TEXT = "text"
    PHONE = "phone"
    WORD = "word"
    NAMES = "names"
    CATEGORIES = "categories"
    MESSENGERS = "messengers"
    TIER = "tier"
    MONEY = "money"
    BONUSES = "bonuses"
    COUNT = "count"
    SCORE = "score"
    SHARE = "share"
    TENTHS = "tenths"
    MOMENT = "moment"
    DAY = "day"


NUMBERS = frozenset({CellKind.MONEY, CellKind.BONUSES, CellKind.COUNT, CellKind.SCORE, CellKind.SHARE, CellKind.TENTHS})


@dataclass(frozen=True, slots=True)
class Cell:
    """What a column of the base is in a file. fact: where its value stands in a row."""

    kind: CellKind
    fact: str = ""


def _cells(kind: CellKind, *facts: str) -> dict[str, Cell]:
    return {fact: Cell(kind, fact) for fact in facts}


CELLS = {
    **_cells(CellKind.TEXT, "name", "email", "card_number", "importance", "home_location", "created_by"),
    **_cells(CellKind.PHONE, "phone"),
    **_cells(CellKind.WORD, "gender", "language", "created_via"),
    **_cells(CellKind.NAMES, "segments", "locations", "team_members", "services"),
    **_cells(CellKind.CATEGORIES, "categories"),
    "messengers": Cell(CellKind.MESSENGERS),
    "tier": Cell(CellKind.TIER, "tier_id"),
    **_cells(CellKind.MONEY, "sold", "paid", "average_receipt", "tips"),
    **_cells(CellKind.COUNT, "receipts", "visits"),
    **_cells(CellKind.BONUSES, "balance", "earned", "burnt", "expired", "debt"),
    "discount": Cell(CellKind.SHARE, "discount_bp"),
    "frequency": Cell(CellKind.TENTHS, "frequency"),
    "first_visit": Cell(CellKind.MOMENT, "first_visit_at"),
    "last_visit": Cell(CellKind.MOMENT, "last_visit_at"),
    "next_booking": Cell(CellKind.MOMENT, "next_booking_at"),
    "created": Cell(CellKind.MOMENT, "created_at"),
    "nps": Cell(CellKind.SCORE, "nps"),
    "birthday": Cell(CellKind.DAY, "birthday"),
}
"""Every column of the base by its key."""
MESSENGERS = {"telegram": "Telegram", "whatsapp": "WhatsApp", "sms": "SMS", "by_email": "E-mail"}


@dataclass(frozen=True, slots=True)
class FileWords:
    """What a file says in its asker's language: of columns, of values that are codes, and its own name.

    found_by: how its customers were found; without what was typed into the search, which may be somebody's name.
    """

    title: str
    headers: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]]
    found_by: str

    def to_body(self) -> dict[str, object]:
        """As it is kept."""
        return asdict(self)

    @classmethod
    def from_body(cls, body: Mapping[str, Any] | None) -> Self:
        """Read what `to_body` wrote."""
        known = body or {}
        return cls(*(known.get(name, empty) for name, empty in _EMPTY_WORDS.items()))


_EMPTY_WORDS: dict[str, Any] = {"title": "", "headers": {}, "values": {}, "found_by": ""}


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the writer of a file has to know. exponent: of the money; tiers: their names by id, the base tier first."""

    format: FileFormat
    columns: tuple[str, ...]
    words: FileWords
    tiers: Mapping[int, str]
    shows_phones: bool
    language: str
    time_zone: str
    exponent: int

    @property
    def headers(self) -> list[str]:
        """What stands above the columns."""
        return [self.words.headers.get(key, key) for key in self.columns]

    def decimals(self, kind: CellKind) -> int:
        """How many decimals a whole number of this kind has."""
        return self.exponent if kind is CellKind.MONEY else DECIMALS.get(kind, 0)


DECIMALS = {CellKind.BONUSES: 2, CellKind.SHARE: 4, CellKind.TENTHS: 1}

Value = str | int | date | datetime | None
"""What stands in a cell: numbers in their smallest units, moments by the shop's clock and without a zone."""
Row = Mapping[str, Any]


def values_of(sheet: Sheet) -> list[Callable[[Row], Value]]:
    """What finds each column's value in a row of the base."""
    zone = ZoneInfo(sheet.time_zone)
    return [_value_of(sheet, key, CELLS[key], zone) for key in sheet.columns]


def _value_of(sheet: Sheet, key: str, cell: Cell, zone: ZoneInfo) -> Callable[[Row], Value]:
    fact = cell.fact
    match cell.kind:
        case CellKind.PHONE if not sheet.shows_phones:
            return lambda row: phone_masked(row[fact]) if row[fact] else None
        case CellKind.WORD:
            words = sheet.words.values.get(key, {})
            return lambda row: words.get(row[fact], row[fact])
        case CellKind.NAMES:
            return lambda row: ", ".join(row[fact] or ())
        case CellKind.CATEGORIES:
            return lambda row: ", ".join(category["name"] for category in row[fact] or ())
        case CellKind.MESSENGERS:
            names = MESSENGERS | dict(sheet.words.values.get(key, {}))
            return lambda row: ", ".join(names[one] for one in MESSENGERS if row[one])
        case CellKind.TIER:
            base = next(iter(sheet.tiers.values()), "")
            return lambda row: sheet.tiers.get(row[fact], base)
        case CellKind.MOMENT:
            return lambda row: _moment(row[fact], zone)
        case CellKind.TENTHS:
            return lambda row: row[fact] or None
        case CellKind.SCORE:
            return lambda row: row[fact] if row[fact] >= 0 else None
    return lambda row: row[fact]


def _moment(value: datetime | None, zone: ZoneInfo) -> datetime | None:
    if value is None or value.year <= NEVER_YEAR:
        return None
    return value.astimezone(zone).replace(tzinfo=None, microsecond=0)


# What a spreadsheet takes for the beginning of a formula, also in its wide forms; and what it may leave out before one.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
_PHONE = re.compile(r"\+[0-9]+( |\u00a0|[0-9·-])*")


def harmless(text: str, *, is_phone: bool = False) -> str:
    """A text for a file without types: one that a spreadsheet would calculate gets an apostrophe before it.

    A phone keeps its plus: of digits alone nothing but the number itself can be calculated.
    """
    if is_phone and _PHONE.fullmatch(text):
        return text
    return f"'{text}" if text.startswith(_FORMULA) or text.lstrip().startswith(_FORMULA) else text


@dataclass(frozen=True, slots=True)
class Opening:
    """What a link opens, and until when."""

    export_id: int
    until: int


_SEAL = 32
_TOKEN = re.compile(r"([0-9a-f]{1,8})-([0-9a-f]{1,10})-([0-9a-f]{32})")
_MARK = re.compile(r"\{file:([0-9a-f]{1,8})-([0-9a-f]{1,10})\}")
PATH = "/files"


def file_key(secret: str) -> bytes:
    """The key of links to files, drawn from the installation's secret: with another secret the old ones end."""
    return hmac.digest(secret.encode(), b"file", hashlib.sha256)


def link_mark(export_id: int, expires_at: datetime) -> str:
    """What stands for a link in a letter that waits: who reads the base can open nothing by it."""
    return f"{{file:{_name(Opening(export_id, int(expires_at.timestamp())))}}}"


def with_links(text: str, key: bytes, public_url: str) -> str:
    """A letter with its links in the place of their marks."""
    return _MARK.sub(lambda match: f"{public_url}{PATH}/{match[1]}-{match[2]}-{_seal(key, match[1], match[2])}", text)


def opening_of(key: bytes, token: str) -> Opening | None:
    """What a link opens; None for one that is not ours."""
    match = _TOKEN.fullmatch(token)
    if match is None or not hmac.compare_digest(match[3], _seal(key, match[1], match[2])):
        return None
    return Opening(int(match[1], 16), int(match[2], 16))


def _name(opening: Opening) -> str:
    return f"{opening.export_id:x}-{opening.until:x}"


def _seal(key: bytes, number: str, until: str) -> str:
    return hmac.digest(key, f"{number}-{until}".encode(), hashlib.sha256).hex()[:_SEAL]


@dataclass(frozen=True, slots=True)
class Taker:
    """Whoever wants a file: who they are, and what of the base is theirs to see now."""

    staff_id: int
    may_export: bool
    may_see_all: bool
    may_read_phones: bool
    location_ids: Sequence[int] | None = field(default=None)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a file shows, and whose it is. location_ids: whose customers stand in it; None: of the whole chain."""

    staff_id: int | None
    shows_phones: bool
    location_ids: Sequence[int] | None


def why_not(contents: Contents, taker: Taker) -> str:
    """Why somebody may not take a file, as a code; empty when they may.

    Judged anew each time: whoever has lost a right since cannot take by it what they asked for.
    """
    if not taker.may_export or (contents.staff_id != taker.staff_id and not taker.may_see_all):
        return "file_is_not_yours"
    if contents.shows_phones and not taker.may_read_phones:
        return "file_shows_phones"
    theirs = taker.location_ids
    if theirs is not None and (contents.location_ids is None or not set(contents.location_ids) <= set(theirs)):
        return "file_is_of_other_locations"
    return ""
