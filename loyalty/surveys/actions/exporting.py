"""Answers taken out as a file: who took which ones is written down before the first of them leaves."""

from datetime import date, datetime

from loyalty import db
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor


@db.use_case
async def note_export(since: date, until: date, *, shows_phones: bool, actor: Actor, now: datetime) -> None:
    """Keep that somebody took out the answers of these days, and whether phones stand there."""
    await write_journal(
        actor,
        "survey_answers.exported",
        now=now,
        since=since.isoformat(),
        until=until.isoformat(),
        phones=shows_phones,
    )
