"""Message types: one file each, one line here."""

from loyalty.conversations.kinds import bonuses_credited, bonuses_debited, receipt, receipt_refunded
from loyalty.conversations.kinds.base import Kind

KINDS: dict[str, Kind] = {
    kind.name: kind for kind in (receipt.KIND, receipt_refunded.KIND, bonuses_credited.KIND, bonuses_debited.KIND)
}
