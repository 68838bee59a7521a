"""Message types: one file each, one line here."""

from loyalty.conversations.kinds import (
    birthday,
    bonuses_credited,
    bonuses_debited,
    claim_refused,
    expiring,
    hold_asked,
    invited,
    receipt,
    receipt_refunded,
    referral,
    referral_undone,
    refused,
    tier_falling,
    waiting_sale_refused,
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
        birthday.KIND,
        referral.KIND,
        invited.KIND,
        referral_undone.KIND,
        expiring.KIND,
        claim_refused.KIND,
        waiting_sale_refused.KIND,
        refused.KIND,
    )
}
