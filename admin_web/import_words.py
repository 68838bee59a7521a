"""Imports in words: how each stands, what a column can be, why a line was left out."""

from collections.abc import Mapping
from typing import Any

from admin_web.i18n import gettext, mark
from admin_web.words import REASONS, reason_text
from loyalty.errors import Refused
from loyalty.office.importing import DateOrder, ImportState, Kind, Mode, RowState
from loyalty.office.importing.columns import TARGETS
from loyalty.office.queries.imports import ImportView

KINDS = {Kind.CUSTOMERS: mark("Customers"), Kind.APPOINTMENTS: mark("Appointments")}
STATES = {
    ImportState.READING: (mark("Being read"), "acc"),
    ImportState.MAPPING: (mark("Columns to be named"), "warn"),
    ImportState.CHECKING: (mark("Being tried out"), "acc"),
    ImportState.CHECKED: (mark("Tried out"), "warn"),
    ImportState.RUNNING: (mark("Under way"), "acc"),
    ImportState.PAUSED: (mark("Paused"), "warn"),
    ImportState.DONE: (mark("Done"), "good"),
    ImportState.CANCELLED: (mark("Ended early"), ""),
    ImportState.FAILED: (mark("Cannot be read"), "bad"),
    ImportState.UNDOING: (mark("Being undone"), "acc"),
    ImportState.UNDONE: (mark("Undone"), ""),
}
OUTCOMES = {
    RowState.WAITING: (mark("Waiting"), ""),
    RowState.ADDED: (mark("Added"), "good"),
    RowState.CHANGED: (mark("Changed"), "acc"),
    RowState.SAME: (mark("The same"), ""),
    RowState.REFUSED: (mark("Left out"), "bad"),
    RowState.UNDONE: (mark("Undone"), ""),
}
EXPECTED = {
    RowState.WAITING: (mark("Waiting"), ""),
    RowState.ADDED: (mark("Will be added"), "good"),
    RowState.CHANGED: (mark("Will be changed"), "acc"),
    RowState.SAME: (mark("Stays the same"), ""),
    RowState.REFUSED: (mark("Will be left out"), "bad"),
}
COLUMNS: dict[Kind, dict[str, str]] = {
    Kind.CUSTOMERS: {
        "name": mark("Full name"),
        "first_name": mark("First name"),
        "last_name": mark("Last name"),
        "middle_name": mark("Middle name"),
        "phone": mark("Phone"),
        "email": mark("E-mail"),
        "card": mark("Card number"),
        "gender": mark("Gender"),
        "birthday": mark("Birthday"),
        "language": mark("Language"),
        "home_location": mark("Home location"),
        "categories": mark("Categories"),
        "segments": mark("Segments"),
        "importance": mark("Importance"),
        "discount": mark("Personal discount"),
        "note": mark("Note"),
        "marketing": mark("Marketing consent"),
        "registered_on": mark("Registration date"),
        "opening": mark("Opening balance"),
        "opening_earned_on": mark("Earned on"),
        "opening_expires_on": mark("Expires on"),
    },
    Kind.APPOINTMENTS: {
        "external_id": mark("Appointment number"),
        "phone": mark("Phone"),
        "name": mark("Customer's name"),
        "location": mark("Location"),
        "starts_at": mark("Date and time"),
        "day": mark("Date"),
        "time": mark("Time"),
        "ends_at": mark("End"),
        "duration": mark("Duration, minutes"),
        "team_member": mark("Who serves"),
        "services": mark("Services"),
        "state": mark("State"),
        "source": mark("How it was booked"),
        "tips": mark("Tips"),
    },
}
MODES = {
    Kind.CUSTOMERS: {
        Mode.FILL: mark("Fill what is not known of them"),
        Mode.OVERWRITE: mark("The file is right: overwrite"),
        Mode.LEAVE: mark("Leave them as they are"),
    },
    Kind.APPOINTMENTS: {
        Mode.LEAVE: mark("Leave them as they are"),
        Mode.OVERWRITE: mark("The file is right: overwrite"),
    },
}
DATE_ORDERS = {
    DateOrder.DAY_FIRST: mark("The day first: 31.12.2026"),
    DateOrder.MONTH_FIRST: mark("The month first: 12/31/2026"),
}
SEPARATORS = {
    ",": mark("parted by commas"),
    ";": mark("parted by semicolons"),
    "\t": mark("parted by tabs"),
    "|": mark("parted by bars"),
}
ENCODINGS = {"cp1251": "Windows-1251", "utf-8-sig": "UTF-8"}

assert all(tuple(COLUMNS[kind]) == TARGETS[kind] for kind in Kind), "each target has words"


def column_choices(kind: Kind) -> list[tuple[str, str]]:
    """(key, name) of what a column can be; first that it is ignored."""
    return [("", gettext("Do not bring in")), *((key, gettext(text)) for key, text in COLUMNS[kind].items())]


def column_name(kind: Kind, key: str | None) -> str:
    """What a column is."""
    return gettext(COLUMNS[kind][key]) if key in COLUMNS[kind] else ""


def line_reason(reason: str | None, details: Mapping[str, Any]) -> str:
    """Why a line was left out, or what of it was."""
    if not reason:
        return ""
    try:
        return reason_text(Refused(reason if reason in REASONS else "not_done", **details))
    except KeyError:
        # A sentence of another door, with a figure that a line does not keep.
        return reason_text(Refused("not_done"))


def failure_text(view: ImportView) -> str:
    """Why a file could not be read."""
    return line_reason(view.failure, view.failure_details)


def read_text(view: ImportView) -> str:
    """How a file was read."""
    known = view.settings.read_as
    if known.get("format") == "xlsx":
        return gettext("Excel, sheet “%(sheet)s”") % {"sheet": known.get("sheet", "")}
    if known.get("format") != "csv":
        return ""
    encoding = known.get("encoding", "")
    shown = ENCODINGS.get(encoding, "UTF-16" if encoding.startswith("utf-16") else encoding)
    return f"{shown}, {gettext(SEPARATORS.get(known.get('separator', ''), mark('parted by a sign of its own')))}"


def choices(words: Mapping[Any, str]) -> list[tuple[str, str]]:
    """(key, text) of a choice."""
    return [(key.value, gettext(text)) for key, text in words.items()]


def badges(words: Mapping[Any, tuple[str, str]]) -> dict[Any, tuple[str, str]]:
    """States in the reader's language, with their tints."""
    return {key: (gettext(text), tint) for key, (text, tint) in words.items()}
