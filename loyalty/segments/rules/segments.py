"""What makes a segment sound. Pure."""

from dataclasses import dataclass

from loyalty.shop.rules import clean_line

NAME_LENGTH = 60
DESCRIPTION_LENGTH = 200


@dataclass(frozen=True, slots=True)
class SegmentDraft:
    """A segment as somebody wants it. `is_at_till`: cashiers may give and take it after a sale."""

    name: str
    description: str = ""
    is_at_till: bool = False


def checked(draft: SegmentDraft) -> SegmentDraft:
    """The draft as it is kept, each text on one line. Raises Invalid("name" | "description")."""
    return SegmentDraft(
        clean_line("name", draft.name, NAME_LENGTH),
        clean_line("description", draft.description, DESCRIPTION_LENGTH, required=False),
        draft.is_at_till,
    )
