"""Files of the demo: one that is over, and one of this morning that can be taken, with its letter."""

from datetime import datetime, timedelta

from admin_web.base_columns import DEFAULT
from admin_web.export_words import file_words
from admin_web.i18n import READER, Reader
from loyalty.office.actions.export_work import make_due
from loyalty.office.actions.exports import Wish, ask_export, expire_exports, take_export
from loyalty.office.exporting import KEPT_FOR, FileFormat
from loyalty.segments.filters import checked
from loyalty.segments.queries.base import Look
from loyalty.segments.queries.whole import count_of
from loyalty.segments.rules.trees import tree_from
from loyalty.staff.letters import lease_letters, letter_sent
from loyalty.staff.queries import StaffView, staff_member
from regulars.seed.records import ZONE

REGULARS = "visits:between:5.."
OVER_SINCE = timedelta(days=4)
ASKED_AGO = timedelta(hours=2)
SENT_AFTER = timedelta(minutes=1)
TAKEN_AFTER = timedelta(minutes=4)


async def write_exports(marketer_id: int, now: datetime) -> None:
    """Ask for both, and make them as in any shop."""
    marketer = await staff_member(marketer_id)
    long_ago = now - OVER_SINCE - KEPT_FOR
    if await _ask(marketer, REGULARS, long_ago) is not None:
        await make_due(now=long_ago)
        sent_at = long_ago + SENT_AFTER
        for letter in await lease_letters(limit=1, now=sent_at):
            await letter_sent(letter, now=sent_at)
        await expire_exports(now=now - OVER_SINCE + timedelta(hours=1), limit=1)
    asked_at = now - ASKED_AGO
    if (export_id := await _ask(marketer, "", asked_at)) is not None:
        await make_due(now=asked_at)
        await take_export(export_id, marketer, actor=marketer.actor, now=asked_at + TAKEN_AFTER)


async def _ask(marketer: StaffView, conditions: str, at: datetime) -> int | None:
    """Ask for everybody whom the conditions fit; None where that is nobody."""
    look = Look(tree=checked(tree_from(conditions)))
    if not await count_of(look, None, now=at):
        return None
    said = {"sort": look.order, "dir": "desc"} | ({"f": conditions} if conditions else {})
    token = READER.set(Reader(language="ru", time_zone=ZONE, now=at))
    words = await file_words(DEFAULT, said, None)
    READER.reset(token)
    wish = Wish(
        look=look,
        chosen=None,
        said=said,
        format=FileFormat.XLSX,
        columns=DEFAULT,
        words=words,
        shows_phones=True,
        language="ru",
        email=marketer.email,
    )
    return await ask_export(wish, key=f"seed-{at:%Y%m%d}", actor=marketer.actor, now=at)
