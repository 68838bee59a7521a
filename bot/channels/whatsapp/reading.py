"""How WhatsApp names people."""

import re

ADDRESS_LENGTH = 140
"""The longest name of a person that is kept: a business-scoped id has up to 128 letters and digits and a country."""
NUMBER = re.compile(r"\d{5,20}", re.ASCII)
# A business-scoped id is a country, a dot, letters and digits. Others without a space are taken as they are.
SCOPED = re.compile(r"[!-~]+", re.ASCII)


def wa_id(value: object) -> str:
    """A person's number as WhatsApp writes it, digits alone; "" for anything else."""
    told = str(value) if type(value) is int and 0 <= value < 10**20 else value
    told = told.removeprefix("+") if isinstance(told, str) else ""
    return told if NUMBER.fullmatch(told) else ""


def scoped_id(value: object) -> str:
    """A person's business-scoped id; "" for anything else, a number too: those are told from it by their digits."""
    if not isinstance(value, str) or len(value) > ADDRESS_LENGTH or value.isdigit():
        return ""
    return value if SCOPED.fullmatch(value) else ""
