"""Photos: kept as they were sent, offered in two sizes."""

import base64
import io
import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

from PIL import Image

MOST_KEPT = 50
MOST_BYTES = 10 * 1024 * 1024
SMALL_SIDE = 320
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")


class BadPhoto(ValueError):
    """No picture, or one that nobody takes; the words are Telegram's."""


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture; `name` is the stem of its file ids and paths."""

    name: str
    data: bytes
    width: int
    height: int
    content_type: str

    def sizes(self) -> list[dict[str, Any]]:
        """The PhotoSize list of a message, small first."""
        scale = min(1.0, SMALL_SIDE / max(self.width, self.height))
        small = {"width": max(1, round(self.width * scale)), "height": max(1, round(self.height * scale))}
        return [
            {"file_id": f"AgACs-{self.name}", "file_unique_id": f"s{self.name}", **small},
            {
                "file_id": f"AgACx-{self.name}",
                "file_unique_id": f"x{self.name}",
                "width": self.width,
                "height": self.height,
                "file_size": len(self.data),
            },
        ]


class Photos:
    """The last fifty photos, by name."""

    def __init__(self) -> None:
        self._photos: OrderedDict[str, Photo] = OrderedDict()

    def add(self, data: bytes) -> Photo:
        """Keep a photo; what is too large or no picture raises BadPhoto."""
        if len(data) > MOST_BYTES:
            size = f"file of size {len(data)} bytes is too big for a photo; the maximum size is {MOST_BYTES} bytes"
            raise BadPhoto(size)
        photo = opened_photo(data)
        width, height = photo.width, photo.height
        if width + height > 10_000 or max(width, height) > 20 * min(width, height):
            raise BadPhoto("PHOTO_INVALID_DIMENSIONS")
        self._keep(photo)
        return photo

    def find(self, file_id: str) -> Photo | None:
        """The photo of a file id, whichever size it names."""
        return self._photos.get(file_id.partition("-")[2]) if file_id.startswith("AgAC") else None

    def content(self, file_id: str) -> bytes | None:
        """The bytes of that size; the small one is drawn when asked for."""
        photo = self.find(file_id)
        if photo is None:
            return None
        if not file_id.startswith("AgACs-"):
            return photo.data
        with Image.open(io.BytesIO(photo.data), formats=FORMATS) as image:
            image.thumbnail((SMALL_SIDE, SMALL_SIDE))
            drawn = io.BytesIO()
            image.convert("RGB").save(drawn, "JPEG", quality=85)
        return drawn.getvalue()

    def dump(self) -> dict[str, str]:
        """For the store."""
        return {name: base64.b64encode(photo.data).decode() for name, photo in self._photos.items()}

    def load(self, dumped: dict[str, str]) -> None:
        """From the store."""
        for name, packed in dumped.items():
            self._keep(opened(name, base64.b64decode(packed)))

    def _keep(self, photo: Photo) -> None:
        self._photos[photo.name] = photo
        while len(self._photos) > MOST_KEPT:
            self._photos.popitem(last=False)


def opened_photo(data: bytes) -> Photo:
    """A photo under a new name; raises BadPhoto for what is no picture."""
    try:
        return opened(secrets.token_urlsafe(12), data)
    except (OSError, Image.DecompressionBombError, SyntaxError, ValueError):
        raise BadPhoto("IMAGE_PROCESS_FAILED") from None


def opened(name: str, data: bytes) -> Photo:
    """A photo with what its own header says of it."""
    with Image.open(io.BytesIO(data), formats=FORMATS) as image:
        return Photo(name, data, *image.size, f"image/{str(image.format).lower()}")
