"""What hung on messages, by names that cannot be guessed."""

import base64
import secrets
from collections import OrderedDict
from dataclasses import asdict, dataclass
from typing import Any

MOST_KEPT = 60


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file."""

    id: str
    name: str
    mime: str
    data: bytes


class Attachments:
    """The last sixty of them."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Attachment] = OrderedDict()

    def add(self, name: str, mime: str, data: bytes) -> Attachment:
        """Keep a file."""
        return self._keep(Attachment(secrets.token_urlsafe(12), name, mime, data))

    def find(self, name: str) -> Attachment | None:
        """The file of an id."""
        return self._kept.get(name)

    def dump(self) -> list[dict[str, Any]]:
        """For the store."""
        return [{**asdict(one), "data": base64.b64encode(one.data).decode()} for one in self._kept.values()]

    def load(self, kept: list[dict[str, Any]]) -> None:
        """From the store."""
        for one in kept:
            self._keep(Attachment(**{**one, "data": base64.b64decode(one["data"])}))

    def _keep(self, attachment: Attachment) -> Attachment:
        self._kept[attachment.id] = attachment
        while len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return attachment
