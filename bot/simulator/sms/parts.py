"""In how many parts a text goes over the air, which is what an SMS costs.

Source: 3GPP TS 23.038 for the alphabet, TS 23.040 for the parts.
"""

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
ESCAPED = frozenset("\f^{}\\[~]|€")
SINGLE_BASIC, JOINED_BASIC = 160, 153
SINGLE_WIDE, JOINED_WIDE = 70, 67


def parts_of(text: str) -> int:
    """The number of parts. A character takes one place, two when it is escaped, and never lies in two parts."""
    if all(character in BASIC or character in ESCAPED for character in text):
        widths = [2 if character in ESCAPED else 1 for character in text]
        single, joined = SINGLE_BASIC, JOINED_BASIC
    else:
        widths = [2 if ord(character) > 0xFFFF else 1 for character in text]
        single, joined = SINGLE_WIDE, JOINED_WIDE
    if sum(widths) <= single:
        return 1
    parts, room = 1, joined
    for width in widths:
        if width > room:
            parts, room = parts + 1, joined
        room -= width
    return parts
