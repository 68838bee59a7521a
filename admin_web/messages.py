"""Keep the catalogues in step with the code: `python -m admin_web.messages`.

Collects every marked text of the Python files and templates, and the names of filters, keeps the translations there
are, drops those nobody uses, and lists what still waits for a translator. Fill in `locale/*/LC_MESSAGES/messages.po`,
run again. `--check` changes nothing and fails unless all is done.
"""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from admin_web.i18n import LOCALE_FOLDER, SOURCE_LANGUAGE
from loyalty.segments import filters
from loyalty.staff.rules import LANGUAGES

SOURCES = (Path(__file__).parent, Path(filters.__file__).parent)
KEYWORDS: dict[str, tuple[int, ...] | None] = {"_": None, "gettext": None, "mark": None, "ngettext": (1, 2)}
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
OPTIONS = {"**/templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}}
TRANSLATED = tuple(language for language in LANGUAGES if language != SOURCE_LANGUAGE)
HEADER = """# Texts of the panel. Kept in step with the code by: python -m admin_web.messages
msgid ""
msgstr ""
"Language: {language}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plural_forms}\\n"

"""


def catalogue_path(language: str) -> Path:
    """Where the texts of a language lie."""
    return LOCALE_FOLDER / language / "LC_MESSAGES" / "messages.po"


def collect() -> Catalog:
    """Every marked text, in the order of the files."""
    found = Catalog()
    for folder in SOURCES:
        rows = extract_from_dir(folder, METHODS, options_map=OPTIONS, keywords=KEYWORDS, comment_tags=("Translators:",))
        for filename, _, message, comments, context in sorted(rows, key=lambda row: (row[0], row[1])):
            # File names without line numbers: a moved line is no change of the catalogue.
            name = filename if folder is SOURCES[0] else f"{folder.name}/{filename}"
            found.add(message, None, [(name, 0)], auto_comments=comments, context=context)
    return found


def stored(language: str) -> Catalog:
    """The catalogue as it lies in its file; empty without one."""
    path = catalogue_path(language)
    if not path.is_file():
        return Catalog(locale=language)
    with path.open("rb") as source:
        return read_po(source, locale=language)


def renewed(language: str, found: Catalog) -> Catalog:
    """What the code needs, with the translations there are. Nothing is guessed, so nothing is fuzzy."""
    old = stored(language)
    fresh = Catalog(locale=language)
    for message in _messages(found):
        known = old.get(message.id, message.context)
        text = known.string if known is not None and not known.fuzzy else None
        if isinstance(message.id, tuple) and not isinstance(text, tuple):
            text = ("",) * fresh.num_plurals
        fresh.add(
            message.id,
            text or "",
            [(name, None) for name in sorted({name for name, _ in message.locations})],  # type: ignore[misc]
            auto_comments=message.auto_comments,
            context=message.context,
        )
    return fresh


def written(language: str, catalogue: Catalog) -> str:
    """The text of the file: no dates in it, so that it changes only with its content."""
    body = io.BytesIO()
    write_po(body, catalogue, width=110, omit_header=True)
    header = HEADER.format(language=language, plural_forms=catalogue.plural_forms)
    return header + body.getvalue().decode().strip() + "\n"


def untranslated(catalogue: Catalog) -> list[str]:
    """Texts without a translation, or with one of fewer forms than the language has."""
    return [
        message.id if isinstance(message.id, str) else message.id[0]
        for message in _messages(catalogue)
        if not message.string or (isinstance(message.string, tuple) and not all(message.string))
    ]


def main(arguments: list[str]) -> int:
    """Renew or check the catalogues; returns the exit code."""
    found = collect()
    is_fine = True
    for language in TRANSLATED:
        fresh = renewed(language, found)
        text, path = written(language, fresh), catalogue_path(language)
        if "--check" in arguments:
            is_fine = is_fine and path.is_file() and path.read_text() == text
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        waiting = untranslated(fresh)
        is_fine = is_fine and not waiting
        for message in waiting:
            sys.stdout.write(f"{language}: {message}\n")
    return 0 if is_fine else 1


def _messages(catalogue: Catalog) -> Iterator[Message]:
    return (message for message in catalogue if message.id)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
