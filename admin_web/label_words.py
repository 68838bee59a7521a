"""Colours of categories in words, and categories as forms choose them."""

from admin_web.i18n import gettext, mark
from loyalty.customers.labels import COLORS
from loyalty.customers.queries.categories import ImportanceView

COLOR_NAMES = {
    "gray": mark("Grey"),
    "red": mark("Red"),
    "orange": mark("Orange"),
    "amber": mark("Amber"),
    "green": mark("Green"),
    "teal": mark("Teal"),
    "blue": mark("Blue"),
    "violet": mark("Violet"),
    "pink": mark("Pink"),
}


def color_choices() -> list[tuple[str, str]]:
    """(code, name) of each colour, in the order of the palette."""
    return [(code, gettext(COLOR_NAMES[code])) for code in COLORS]


def importance_name(name: str) -> str:
    """The name of a class; of none of them, too."""
    return name or gettext("None")


def importance_choices(classes: list[ImportanceView], chosen: int) -> list[tuple[str, str]]:
    """None first, then the classes in use from the least on; an archived one only for whoever is in it."""
    usable = [one for one in classes if one.archived_at is None or one.id == chosen]
    return [("0", gettext("None")), *((str(one.id), one.name) for one in usable)]
