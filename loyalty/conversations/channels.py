"""What each channel can do: one line a channel. The panel's previews and the channels themselves go by it."""

from collections.abc import Mapping
from dataclasses import dataclass

from loyalty.conversations.content import Capabilities

TELEGRAM = "telegram"
WHATSAPP = "whatsapp"
SMS = "sms"
EMAIL = "email"

# Sources: core.telegram.org/bots/api, developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
CAPABILITIES: Mapping[str, Capabilities] = {
    TELEGRAM: Capabilities(
        text_length=4096,
        caption_length=1024,
        asking_length=4096,
        buttons=100,
        button_length=64,
        options=0,
        links=10,
        mixes=True,
        has_menu=True,
        can_ask_contact=True,
        can_edit=True,
        has_files=True,
    ),
    WHATSAPP: Capabilities(
        text_length=4096,
        caption_length=1024,
        asking_length=1024,
        buttons=3,
        button_length=20,
        options=10,
        links=1,
        mixes=False,
        has_menu=False,
        can_ask_contact=False,
        can_edit=False,
        has_files=True,
        window_hours=24,
    ),
    # Ten parts of 67 characters, as a text with Cyrillic letters has them. Source: 3GPP TS 23.040
    SMS: Capabilities(
        text_length=670,
        caption_length=670,
        asking_length=670,
        buttons=0,
        button_length=0,
        options=0,
        links=0,
        mixes=False,
        has_menu=False,
        can_ask_contact=False,
        can_edit=False,
        has_files=False,
        hears=False,
    ),
    EMAIL: Capabilities(
        text_length=100_000,
        caption_length=100_000,
        asking_length=100_000,
        buttons=0,
        button_length=0,
        options=0,
        links=0,
        mixes=False,
        has_menu=False,
        can_ask_contact=False,
        can_edit=False,
        has_files=True,
        hears=False,
    ),
}
USUAL = ",".join(name for name, able in CAPABILITIES.items() if able.hears)
"""Where messages go unless the shop says otherwise: where people can answer."""

# Source: 3GPP TS 23.038, the default alphabet and its extension, whose characters take two places.
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_TWO = frozenset("^{}\\[~]|€\f")
GSM_ONE, GSM_PART = 160, 153
UCS_ONE, UCS_PART = 70, 67
"""Places of a text that is one SMS, and of each part of one that is several."""


@dataclass(frozen=True, slots=True)
class SmsSize:
    """What a text takes as SMS. is_wide: a letter of it needs the alphabet in which fewer of them fit into a part.

    places: taken, of `places_of_part` in each of its parts.
    """

    places: int
    parts: int
    places_of_part: int
    is_wide: bool


def sms_size(text: str) -> SmsSize:
    """How many SMS a text is; none for an empty one. A character of two places is not cut in two."""
    is_wide = any(char not in _GSM and char not in _GSM_TWO for char in text)
    if is_wide:
        sizes = [1 if ord(char) < 0x10000 else 2 for char in text]
    else:
        sizes = [2 if char in _GSM_TWO else 1 for char in text]
    one, part = (UCS_ONE, UCS_PART) if is_wide else (GSM_ONE, GSM_PART)
    total = sum(sizes)
    if total <= one:
        return SmsSize(total, int(total > 0), one, is_wide)
    parts, left = 1, part
    for size in sizes:
        if size > left:
            parts, left = parts + 1, part
        left -= size
    return SmsSize(total, parts, part, is_wide)
