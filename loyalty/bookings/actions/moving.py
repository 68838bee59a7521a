"""Bookings go with the person when two cards of theirs become one."""

from loyalty.customers.actions.handing import hand_back, hand_over

HANDED = ("appointment",)


async def move(merged_id: int, survivor_id: int) -> dict[str, list[int]]:
    """Make one customer's appointments another's; which ones. `recount_bookings` is due after it."""
    return await hand_over(HANDED, merged_id, survivor_id)


async def move_back(merged_id: int, survivor_id: int, remembered: dict[str, list[int]]) -> None:
    """Take `move` back; those booked since stay with the survivor."""
    await hand_back(remembered, survivor_id, merged_id)
