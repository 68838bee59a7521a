"""Links that open a chat with us and bring a word along."""

import re
from typing import Any

PAYLOAD = re.compile(r"[A-Za-z0-9_-]{1,64}")


def deep_link(payload: Any) -> str:
    """The payload of a link; what Telegram would not carry in one is left out."""
    return payload if isinstance(payload, str) and PAYLOAD.fullmatch(payload) else ""
