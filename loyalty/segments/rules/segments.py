"""What makes a segment sound. Pure."""

from dataclasses import dataclass

from loyalty.segments.rules.trees import Group
from loyalty.shop.rules import clean_line

NAME_LENGTH = 60
DESCRIPTION_LENGTH = 200


@dataclass(frozen=True, slots=True)
class SegmentDraft:
    """A segment as somebody wants it.

    is_at_till: cashiers may give and take it after a sale. is_exclusion: who is in it gets no campaign. conditions:
    whoever meets them is in it; None for one that is filled by hand.
    """

    name: str
    description: str = ""
    is_at_till: bool = False
    is_exclusion: bool = False
    conditions: Group | None = None


def checked(draft: SegmentDraft) -> SegmentDraft:
    """The draft as it is kept, each text on one line; nobody gives what conditions decide.

    Raises Invalid("name" | "description").
    """
    return SegmentDraft(
        clean_line("name", draft.name, NAME_LENGTH),
        clean_line("description", draft.description, DESCRIPTION_LENGTH, required=False),
        draft.is_at_till and draft.conditions is None,
        draft.is_exclusion,
        draft.conditions,
    )
