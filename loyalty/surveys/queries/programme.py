"""The programme as it stands."""

from dataclasses import dataclass, field
from datetime import datetime

from loyalty import db
from loyalty.surveys.rules import ProgrammeDraft

COLUMNS = """is_on, delay_hours, pause_days, minimum, location_ids, texts, links, bonus, makes_tasks, assignee_id,
    looked_at, updated_at"""
ONE = f"SELECT {COLUMNS} FROM survey_programme WHERE id = 1"


@dataclass(frozen=True, slots=True)
class ProgrammeView:
    """What is set, since when; looked_at: the last receipt that was looked at. updated_at None: nothing was set yet."""

    draft: ProgrammeDraft = field(default_factory=ProgrammeDraft)
    looked_at: int = 0
    updated_at: datetime | None = None


async def survey_programme() -> ProgrammeView:
    """The programme; the house's as long as nobody has set one: it asks nobody."""
    row = await db.fetch_row(ONE)
    return view_of(row) if row else ProgrammeView()


def view_of(row: db.Row) -> ProgrammeView:
    """A row of COLUMNS as it is worked with."""
    places = db.from_json(row["location_ids"])
    draft = ProgrammeDraft(
        is_on=row["is_on"],
        delay_hours=row["delay_hours"],
        pause_days=row["pause_days"],
        minimum=row["minimum"],
        location_ids=None if places is None else tuple(places),
        texts=db.from_json(row["texts"]),
        links=db.from_json(row["links"]),
        bonus=row["bonus"],
        makes_tasks=row["makes_tasks"],
        assignee_id=row["assignee_id"],
    )
    return ProgrammeView(draft, row["looked_at"], row["updated_at"])
