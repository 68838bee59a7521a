"""Short links of ours under messages to many: who followed which button, without a table of links. Pure.

A code says campaign, customer and button, and is sealed, so that nobody counts for another. It holds no address: that
one stands in the campaign, or our links would lead wherever somebody likes.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

PATH = "/r"
BUTTONS = 16
"""So many buttons of a campaign can be told apart."""
CODE_LENGTH = 24
_SEAL_BYTES = 7
_LARGEST_CAMPAIGN = 2**31 - 1
_LARGEST_CUSTOMER = 2**42 - 1
# Who fetches a link to show what is behind it, in small letters. Sources: the messengers' own pages for developers.
_PREVIEWERS = (
    "whatsapp/",
    "telegrambot",
    "facebookexternalhit",
    "facebot",
    "viber",
    "skypeuripreview",
    "slackbot",
    "discordbot",
    "twitterbot",
    "vkshare",
    "googlebot",
    "bingpreview",
    "yandexbot",
    "applebot",
)


@dataclass(frozen=True, slots=True)
class Click:
    """What a link stands for: a button, counted from 0, of one person's message."""

    campaign_id: int
    customer_id: int
    button: int


def click_key(secret: str) -> bytes:
    """The key of these links, drawn from the installation's secret: with another secret the old ones end."""
    return hmac.digest(secret.encode(), b"campaign link", hashlib.sha256)


def click_url(campaign_id: int, customer_id: int, button: int, *, key: bytes, public_url: str) -> str:
    """The link of a button for one person. public_url: where the panel is open to the world, without a last slash."""
    return f"{public_url}{PATH}/{code_of(Click(campaign_id, customer_id, button), key)}"


def click_links(key: bytes, public_url: str) -> Callable[[int, int, int], str]:
    """The links of one installation: (campaign, customer, button) → the address that counts who follows it."""
    return partial(click_url, key=key, public_url=public_url)


def code_of(click: Click, key: bytes) -> str:
    """The code of a link: CODE_LENGTH letters, digits, - and _ at most, 19 or 20 in a shop of usual size."""
    assert 0 <= click.button < BUTTONS, "the form allows fewer buttons"
    assert 0 < click.campaign_id <= _LARGEST_CAMPAIGN, "as the column"
    assert 0 < click.customer_id <= _LARGEST_CUSTOMER, "more people than there are"
    told = _packed(click.campaign_id * BUTTONS + click.button) + _packed(click.customer_id)
    return urlsafe_b64encode(told + _seal(key, told)).rstrip(b"=").decode()


def click_of(code: str, key: bytes) -> Click | None:
    """What a code says; None for one that is not ours, or is ours but written otherwise."""
    if not (code.isascii() and len(code) <= CODE_LENGTH):
        return None
    try:
        raw = urlsafe_b64decode(code + "=" * (-len(code) % 4))
    except (Error, ValueError):
        return None
    told, seal = raw[:-_SEAL_BYTES], raw[-_SEAL_BYTES:]
    if not hmac.compare_digest(seal, _seal(key, told)):
        return None
    # What we have sealed, we have packed.
    first, rest = _unpacked(told)
    click = Click(first // BUTTONS, _unpacked(rest)[0], first % BUTTONS)
    return click if code_of(click, key) == code else None


def is_previewer(user_agent: str) -> bool:
    """Whether a program looks behind the link, and no person."""
    agent = user_agent.lower()
    return any(name in agent for name in _PREVIEWERS)


def _packed(number: int) -> bytes:
    """Seven bits a byte, the lowest first; the eighth says that more follow."""
    found = bytearray()
    while number >= 0x80:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)


def _unpacked(raw: bytes) -> tuple[int, bytes]:
    """The first number, and what follows it."""
    number = 0
    for place, byte in enumerate(raw):
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return number, raw[place + 1 :]
    return number, b""


def _seal(key: bytes, told: bytes) -> bytes:
    return hmac.digest(key, told, hashlib.sha256)[:_SEAL_BYTES]
