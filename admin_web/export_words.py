"""Files of customers in words: how each stands, why there is none, what it calls its columns, how large it is."""

from collections.abc import Iterable

from babel.units import format_unit

from admin_web.base_columns import COLUMNS
from admin_web.filter_words import look_words
from admin_web.formats import num
from admin_web.i18n import LANGUAGE_NAMES, READER, gettext, mark, ngettext
from admin_web.words import reason_text
from loyalty.errors import Refused
from loyalty.office.exporting import ERASED, NOT_MADE, WITHDRAWN, ExportState, FileFormat, FileWords
from loyalty.office.queries.exports import ExportView
from loyalty.segments.filters.origin import CreatedVia

STATES = {
    ExportState.QUEUED: (mark("In the queue"), ""),
    ExportState.RUNNING: (mark("Being made"), "acc"),
    ExportState.DONE: (mark("Ready"), "good"),
    ExportState.FAILED: (mark("Did not work"), "bad"),
    ExportState.CANCELLED: (mark("Withdrawn"), ""),
    ExportState.EXPIRED: (mark("Time is over"), ""),
}
FAILURES = {
    WITHDRAWN: mark("Somebody withdrew it: the link opens nothing any more."),
    ERASED: mark("A person was erased who may have been in it, so it was withdrawn. Ask for a new one."),
    NOT_MADE: mark("It could not be made, however often it was tried. Ask for it again, perhaps with fewer columns."),
}
LETTERS = {
    "queued": mark("The letter with the link is on its way."),
    "sent": mark("The letter with the link was sent."),
    "failed": mark("The letter with the link could not be sent. Take the file here."),
}
FORMATS = {FileFormat.XLSX: mark("Excel (xlsx)"), FileFormat.CSV: mark("Table (csv)")}
TITLE = mark("Client base")
GENDERS = {"f": mark("Female"), "m": mark("Male")}
UNITS = ((2**30, "digital-gigabyte"), (2**20, "digital-megabyte"), (2**10, "digital-kilobyte"))


def state_of(view: ExportView, *, is_over: bool) -> tuple[str, str]:
    """(words, tint) of how a file stands; is_over: its days have passed."""
    text, tint = STATES[ExportState.EXPIRED if is_over and view.state is ExportState.DONE else view.state]
    return gettext(text), tint


def failure_of(view: ExportView) -> str:
    """Why there is no file; empty where there is, or will be."""
    return gettext(FAILURES[view.failure]) if view.failure in FAILURES else ""


def letter_of(view: ExportView) -> str:
    """What became of the letter with the link."""
    if view.letter is None:
        return gettext("No letter was written: e-mail is not set up.") if not view.email else ""
    return gettext(LETTERS[view.letter])


def refusal(reason: str) -> str:
    """Why somebody may not take a file; empty when they may."""
    return reason_text(Refused(reason)) if reason else ""


async def whom(view: ExportView) -> str:
    """Whose file it is, as a sentence."""
    if view.chosen is None:
        return await look_words(view.look)
    return ngettext("%(num)s ticked customer", "%(num)s ticked customers", view.chosen) % {"num": num(view.chosen)}


async def file_words(columns: Iterable[str], said: dict[str, str], chosen: int | None) -> FileWords:
    """What a file is to say in the language of whoever asks for it. What was typed into the search stays out of it."""
    if chosen is not None:
        found_by = await look_words(None)
    else:
        filtered = {name: said[name] for name in ("f", "location") if said.get(name)}
        searched = [gettext("Found by a search")] if said.get("q") else []
        found_by = "; ".join(searched + ([await look_words(filtered)] if filtered or not searched else []))
    values = {
        "gender": {key: gettext(text) for key, text in GENDERS.items()},
        "language": dict(LANGUAGE_NAMES),
        "created_via": {key: gettext(text) for key, text in CreatedVia.choices},
        "messengers": {"by_email": gettext("E-mail")},
    }
    headers = {key: COLUMNS[key].text for key in columns}
    return FileWords(gettext(TITLE), headers, values, found_by)


def size_text(size: int) -> str:
    """How large a file is: 1.4 MB."""
    language = READER.get().language
    for unit, name in UNITS:
        if size >= unit:
            return format_unit(size / unit, name, "short", "#,##0.#", locale=language)
    return format_unit(size, "digital-byte", "short", locale=language)
