"""Media: what the business uploads and what people send, by the ids the Graph API gives them."""

import base64
import hashlib
import secrets
from collections import OrderedDict
from dataclasses import asdict, dataclass
from typing import Any

from bot.simulator.photos import BadPhoto, opened_photo
from bot.simulator.whatsapp.faults import GraphError

MOST_KEPT = 60
MB = 1024 * 1024
# Which types are taken, and how large. Source: developers.facebook.com/docs/whatsapp/cloud-api/reference/media
IMAGES = {"image/jpeg": 5 * MB, "image/png": 5 * MB}
DOCUMENTS = dict.fromkeys(
    (
        "text/plain",
        "application/pdf",
        "application/msword",
        "application/vnd.ms-excel",
        "application/vnd.ms-powerpoint",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ),
    100 * MB,
)
OTHERS = {"audio/ogg": 16 * MB, "audio/mpeg": 16 * MB, "video/mp4": 16 * MB, "image/webp": MB // 2}
LIMITS = {**IMAGES, **DOCUMENTS, **OTHERS}


@dataclass(frozen=True, slots=True)
class File:
    """One upload; `width` and `height` are those of a picture."""

    id: str
    data: bytes
    mime: str
    name: str = ""
    width: int = 0
    height: int = 0

    def facts(self) -> dict[str, Any]:
        """As an incoming message names it."""
        digest = base64.b64encode(hashlib.sha256(self.data).digest()).decode()
        return {"mime_type": self.mime, "sha256": digest, "id": self.id}


class Files:
    """The last sixty files, by id."""

    def __init__(self) -> None:
        self._files: OrderedDict[str, File] = OrderedDict()

    def upload(self, data: bytes, mime: str, name: str) -> File:
        """What the business uploads; raises GraphError for a type or a size that is not taken."""
        limit = LIMITS.get(mime)
        if limit is None:
            known = ", ".join(LIMITS)
            raise GraphError(100, f"Param file must be a file with one of the following types: {known}. Got {mime}.")
        if not data or len(data) > limit:
            raise GraphError(131053, f"File size {len(data)} is out of range (1 to {limit} bytes) for {mime}.")
        if mime not in IMAGES:
            return self.add(data, mime, name)
        try:
            photo = opened_photo(data)
        except BadPhoto:
            raise GraphError(131053, "Image file is corrupted or of another type than it says.") from None
        return self.add(data, mime, name, size=(photo.width, photo.height))

    def add(self, data: bytes, mime: str, name: str = "", *, size: tuple[int, int] = (0, 0)) -> File:
        """Keep a file under a new id, of digits alone as Meta's are."""
        file = File(str(10**15 + secrets.randbelow(9 * 10**15)), data, mime, name, *size)
        self._keep(file)
        return file

    def find(self, file_id: str) -> File | None:
        """The file of an id."""
        return self._files.get(file_id)

    def dump(self) -> list[dict[str, Any]]:
        """For the store."""
        return [{**asdict(file), "data": base64.b64encode(file.data).decode()} for file in self._files.values()]

    def load(self, dumped: list[dict[str, Any]]) -> None:
        """From the store."""
        for one in dumped:
            self._keep(File(**{**one, "data": base64.b64decode(one["data"])}))

    def _keep(self, file: File) -> None:
        self._files[file.id] = file
        while len(self._files) > MOST_KEPT:
            self._files.popitem(last=False)
