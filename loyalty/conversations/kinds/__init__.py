"""Message types: one file each, one line here."""

from loyalty.conversations.kinds import (
    birthday,
    bonuses_credited,
    bonuses_debited,
    claim_refused,
    expiring,
    hold_asked,
    invited,
    link_accepted,
    link_asked,
    link_refused,
    receipt,
    receipt_refunded,
    referral,
    referral_undone,
    refused,
    survey_asked,
    tier_falling,
    waiting_sale_refused,
)
from loyalty.conversations.kinds.base import Kind

KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        hold_asked.KIND,
        link_asked.KIND,
        link_accepted.KIND,
        link_refused.KIND,
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
        survey_asked.KIND,
    )
}
PATIENT = [kind.name for kind in KINDS.values() if kind.is_patient]
"""Those that wait for the morning."""
