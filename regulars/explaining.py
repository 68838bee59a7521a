"""A movement of bonuses as lines of text for the terminal."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from loyalty.office.queries.explain import EntryStory, LotStory
from loyalty.wording import bonuses

_A_MOMENT = timedelta(microseconds=1)


def told(story: EntryStory, zone: str) -> Iterator[str]:
    """The movement, then a line for each lot it took from, gave back to, or made, and for each use of the latter."""
    entry = story.entry
    receipt = f", receipt {entry.receipt_id}" if entry.receipt_id else ""
    yield (
        f"{_moment(entry.at, zone)}  #{entry.id}  {entry.kind} {_signed(entry.amount)} ({entry.event}{receipt}),"
        f" balance {_amount(entry.balance_after)}"
    )
    for lot, amount in story.parts:
        verb = "took" if amount > 0 else "gave back"
        yield f"    {verb} {_amount(abs(amount))} of {_lot(lot, zone)}"
    if story.owed:
        yield f"    {_amount(story.owed)} became debt"
    for lot in story.made:
        yield f"    made {_lot(lot, zone)}; {_amount(lot.remaining)} left"
        for use in lot.uses:
            why = "repaid debt" if use.entry_id == lot.made_by else f"#{use.entry_id} {use.kind}"
            yield f"        {_moment(use.at, zone)}  {why} {_signed(-use.amount)}"


def _lot(lot: LotStory, zone: str) -> str:
    until = "for ever" if lot.expires_at is None else f"until {_day(lot.expires_at - _A_MOMENT, zone)}"
    return f"lot {lot.id} ({lot.source} of {_day(lot.made_at, zone)}, {_amount(lot.amount)}, {until})"


def _amount(hundredths: int) -> str:
    return bonuses(hundredths, "en")


def _signed(hundredths: int) -> str:
    return f"{'+' if hundredths > 0 else ''}{_amount(hundredths)}"


def _moment(at: datetime, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M")


def _day(at: datetime, zone: str) -> str:
    return at.astimezone(ZoneInfo(zone)).date().isoformat()
