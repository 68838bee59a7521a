"""Tasks go with their customer when two cards of theirs become one, and come back when that was a mistake."""

from collections.abc import Mapping, Sequence

from loyalty.customers.actions.handing import hand_back, hand_over

HANDED = ("task",)


async def move(merged_id: int, survivor_id: int) -> dict[str, list[int]]:
    """Make one customer's tasks another's; which tasks."""
    return await hand_over(HANDED, merged_id, survivor_id)


async def move_back(merged_id: int, survivor_id: int, remembered: Mapping[str, Sequence[int]]) -> None:
    """Take `move` back."""
    await hand_back(remembered, survivor_id, merged_id)
