"""Message types: one file each, one line here."""

from loyalty.conversations.kinds import (
    bonuses_credited,
    bonuses_debited,
    hold_asked,
    receipt,
    receipt_refunded,
    tier_falling,
)
from loyalty.conversations.kinds.base import Kind

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        hold_asked.KIND,
        receipt.KIND,
        receipt_refunded.KIND,
        bonuses_credited.KIND,
        bonuses_debited.KIND,
        tier_falling.KIND,
    )
}
