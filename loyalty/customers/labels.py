"""Coloured categories and classes of importance: what makes one sound, how many there are. Pure."""

from dataclasses import dataclass

from loyalty.errors import Invalid
from loyalty.shop.rules import clean_line

COLORS = ("gray", "red", "orange", "amber", "green", "teal", "blue", "violet", "pink")
"""The palette by name; what each looks like, light and dark, is the panel's to say."""
NAME_LENGTH = 40
CATEGORIES_AT_MOST = 200
CLASSES_AT_MOST = 9
NO_IMPORTANCE = 0
PER_CALL = 1_000
"""So many customers at most are changed by one call: it is one transaction, and each of them is locked in it."""


@dataclass(frozen=True, slots=True)
class CategoryDraft:
    """A category as somebody wants it."""

    name: str
    color: str


def checked(draft: CategoryDraft) -> CategoryDraft:
    """The draft as it is kept. Raises Invalid("name" | "color")."""
    if draft.color not in COLORS:
        raise Invalid("color", "unknown_choice")
    return CategoryDraft(clean_label(draft.name), draft.color)


def clean_label(name: str) -> str:
    """The name of a category or class on one line. Raises Invalid("name")."""
    return clean_line("name", name, NAME_LENGTH)


def checked_ids(customer_ids: list[int]) -> list[int]:
    """Each customer once, by rising id, as they are locked. Raises Invalid("customers", "too_many")."""
    ids = sorted(set(customer_ids))
    if len(ids) > PER_CALL:
        raise Invalid("customers", "too_many", limit=PER_CALL)
    return ids


def next_color(taken: list[str]) -> str:
    """A colour for the next category: the one that is used least, in the order of the palette."""
    return min(COLORS[1:], key=taken.count)
