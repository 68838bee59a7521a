"""Files that are brought in: how they are read, what their columns are, what each line asks for. Pure."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

FILE_BYTES = 50 * 2**20
ROWS_AT_MOST = 200_000
KEPT_FOR = timedelta(days=30)
"""So long the lines of a file are kept, and so long an import can be undone."""
AT_ONCE = 500
"""So many lines are worked on in the request itself; more are worked on in the background."""
AT_ONCE_BYTES = 256 * 2**10
"""So large a file is read in the request itself."""
FILE_NAME_LENGTH = 120


class Kind(StrEnum):
    """What the lines of a file are."""

    CUSTOMERS = "customers"
    APPOINTMENTS = "appointments"


class ImportState(StrEnum):
    """How an import stands. In `mapping` and `checked` it waits for a person."""

    READING = "reading"
    MAPPING = "mapping"
    CHECKING = "checking"
    CHECKED = "checked"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"
    UNDOING = "undoing"
    UNDONE = "undone"


WORKING = frozenset({ImportState.READING, ImportState.CHECKING, ImportState.RUNNING, ImportState.UNDOING})
"""In these a worker goes on with it."""
OVER = frozenset({ImportState.DONE, ImportState.CANCELLED})
"""From these what it has changed can be taken back."""


class RowState(StrEnum):
    """What became, or is expected to become, of a line."""

    WAITING = "waiting"
    ADDED = "added"
    CHANGED = "changed"
    SAME = "same"
    REFUSED = "refused"
    UNDONE = "undone"


class Mode(StrEnum):
    """What is done with people who are there already: their gaps are filled, the file wins, or nothing."""

    FILL = "fill"
    OVERWRITE = "overwrite"
    LEAVE = "leave"


class DateOrder(StrEnum):
    """How 03/04/2020 is read."""

    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"


class Pass(StrEnum):
    """Where a dry run is: each line by itself, lines of one person found, what would become of each."""

    PARSE = "parse"
    TWINS = "twins"
    DECIDE = "decide"


@dataclass(frozen=True, slots=True)
class Options:
    """How a file is understood, beside what its columns are.

    make_missing: categories and segments that are not there are made; services and who serves likewise.
    """

    mode: Mode = Mode.FILL
    date_order: DateOrder = DateOrder.DAY_FIRST
    make_missing: bool = False


@dataclass(frozen=True, slots=True)
class Settings:
    """What is known of a file since it was read, and what somebody said about it.

    header: number of the line that names the columns; 0: none does. columns: those names. mapping: what each column
    is, by the key of a target; "" is ignored. made: names of labels that the run is to make.
    """

    read_as: dict[str, Any] = field(default_factory=dict)
    header: int = 0
    columns: tuple[str, ...] = ()
    mapping: tuple[str, ...] = ()
    options: Options = field(default_factory=Options)
    stage: Pass = Pass.PARSE
    made: dict[str, list[str]] = field(default_factory=dict)

    def to_body(self) -> dict[str, Any]:
        """As it is kept."""
        return {
            "read_as": self.read_as,
            "header": self.header,
            "columns": list(self.columns),
            "mapping": list(self.mapping),
            "options": {
                "mode": self.options.mode.value,
                "date_order": self.options.date_order.value,
                "make_missing": self.options.make_missing,
            },
            "stage": self.stage.value,
            "made": self.made,
        }


def settings_from(body: dict[str, Any]) -> Settings:
    """What `to_body` kept; what is not there is as it is at first."""
    options = body.get("options", {})
    return Settings(
        read_as=body.get("read_as", {}),
        header=body.get("header", 0),
        columns=tuple(body.get("columns", ())),
        mapping=tuple(body.get("mapping", ())),
        options=Options(
            Mode(options.get("mode", Mode.FILL)),
            DateOrder(options.get("date_order", DateOrder.DAY_FIRST)),
            bool(options.get("make_missing", False)),
        ),
        stage=Pass(body.get("stage", Pass.PARSE)),
        made=body.get("made", {}),
    )
