"""What staff may answer with, and until when: files, approved templates, names in ready words. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath

from loyalty.conversations.channels import CAPABILITIES, WHATSAPP
from loyalty.conversations.kinds.base import nameless
from loyalty.errors import Invalid

SILENCE = timedelta(hours=12)
"""A conversation in which staff have said nothing for so long goes back to the bot."""
PICTURE_BYTES = 5 * 2**20
FILE_BYTES = 10 * 2**20
NAME_LENGTH = 120
TITLE_LENGTH = 80
VALUE_LENGTH = 200

# What both messengers show or hand over. Source: developers.facebook.com/docs/whatsapp/cloud-api/reference/media
PICTURES = {"image/jpeg": b"\xff\xd8\xff", "image/png": b"\x89PNG\r\n\x1a\n", "image/webp": b"RIFF"}
"""Pictures, and how their files begin: what a browser says of them counts for nothing."""
FILES = {
    ".pdf": "application/pdf",
    ".txt": "text/plain",
    ".csv": "text/csv",
    ".doc": "application/msword",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".xls": "application/vnd.ms-excel",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".ppt": "application/vnd.ms-powerpoint",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
}
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
NO_WEBP = frozenset({WHATSAPP})

_PLACE = re.compile(r"\{\{(\d{1,2})\}\}")
_FIRST_NAME = "{first_name}"


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture or file that goes with an answer."""

    name: str
    mime: str
    body: bytes

    @property
    def is_picture(self) -> bool:
        """Whether messengers show it, rather than hand it over."""
        return self.mime in PICTURES


def upload_of(name: str, body: bytes) -> Upload:
    """A file as a browser sent it: known by its first bytes, or else by its ending. Raises Invalid("file")."""
    name = "".join(char for char in PurePosixPath(name.replace("\\", "/")).name if char.isprintable())
    for mime, start in PICTURES.items():
        if body.startswith(start) and (mime != "image/webp" or body[8:12] == b"WEBP"):
            return _checked(Upload(name[-NAME_LENGTH:] or "picture", mime, body), PICTURE_BYTES)
    ending = PurePosixPath(name).suffix.lower()
    if ending not in FILES:
        raise Invalid("file", "not_a_file_we_send")
    return _checked(Upload(name[-NAME_LENGTH:], FILES[ending], body), FILE_BYTES)


def _checked(upload: Upload, limit: int) -> Upload:
    if not upload.body:
        raise Invalid("file", "file_is_empty")
    if len(upload.body) > limit:
        raise Invalid("file", "file_too_large", limit=limit // 2**20)
    return upload


def check_answer(words: str, upload: Upload | None, channel: str) -> None:
    """Raise Invalid for a file that this channel does not take, or words that are too long for it or under one."""
    able = CAPABILITIES[channel]
    if upload is None:
        if len(words) > able.text_length:
            raise Invalid("text", "too_long", limit=able.text_length)
        return
    if not able.has_files:
        raise Invalid("file", "no_files_there")
    if upload.mime == "image/webp" and channel in NO_WEBP:
        raise Invalid("file", "no_webp_there")
    if len(words) > able.caption_length:
        raise Invalid("text", "too_long", limit=able.caption_length)


def window_ends(channel: str, heard_at: datetime | None) -> datetime | None:
    """Until when a person may be written to freely; None: for ever. Where nothing was heard, never again."""
    hours = CAPABILITIES[channel].window_hours if channel in CAPABILITIES else 0
    if not hours:
        return None
    return (heard_at or _NEVER) + timedelta(hours=hours)


def windows() -> dict[str, int]:
    """Hours for which one may write after a person's last word, by channel that has such a limit."""
    return {name: able.window_hours for name, able in CAPABILITIES.items() if able.window_hours}


def filled_in(body: str, values: Sequence[str]) -> str:
    """How a template reads with its values, in one pass: a value is never looked into."""
    return "".join(text for _, text in pieces(body, values))


def pieces(body: str, values: Sequence[str]) -> list[tuple[int, str]]:
    """The same in pieces: (0, the template's own words) and (the number of a variable, its value)."""
    found: list[tuple[int, str]] = []
    for index, part in enumerate(_PLACE.split(body)):
        if index % 2 == 0:
            found.append((0, part))
        else:
            number = int(part)
            found.append((number, values[number - 1]) if 0 < number <= len(values) else (0, f"{{{{{part}}}}}"))
    return [piece for piece in found if piece[1]]


def template_values(variables: Sequence[Mapping[str, str]], typed: Mapping[str, str]) -> dict[str, str]:
    """A value for each variable, on one line as templates want it: what was typed, else its fallback.

    Raises Invalid(variable).
    """
    values = {}
    for variable in variables:
        name = variable["name"]
        value = " ".join(typed.get(name, "").split()) or variable.get("fallback", "")
        if not value:
            raise Invalid(name, "required")
        if len(value) > VALUE_LENGTH:
            raise Invalid(name, "too_long", limit=VALUE_LENGTH)
        values[name] = value
    return values


def with_first_name(text: str, name: str) -> str:
    """Ready words to a person: {first_name} is theirs; without one it goes, with the comma before it."""
    first = name.split(maxsplit=1)[0] if name.strip() else ""
    return text.replace(_FIRST_NAME, first) if first else nameless(text)
