"""Tables of the ledger. Private to this room.

Entries and allocations only grow: the base refuses to change or empty them. `remaining` of a lot is a checked
cache of its allocations.
"""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class BonusEntry(Model):
    """One movement of a customer's bonuses, in hundredths. Corrections are new entries."""

    id = fields.BigIntField(primary_key=True)
    customer = fields.ForeignKeyField("loyalty.Customer", on_delete=fields.RESTRICT, related_name=False)
    amount = fields.BigIntField()  # signed, never 0
    balance_after = fields.BigIntField()
    kind = fields.CharField(max_length=12)
    event = fields.CharField(max_length=24)  # why: receipt, welcome, manual, expiry, refund
    operation_id = fields.CharField(max_length=80, unique=True)
    actor_kind = fields.CharField(max_length=8)
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    location = fields.ForeignKeyField("loyalty.Location", null=True, on_delete=fields.RESTRICT, related_name=False)
    receipt = fields.ForeignKeyField("loyalty.Receipt", null=True, on_delete=fields.RESTRICT, related_name=False)
    corrects = fields.ForeignKeyField("loyalty.BonusEntry", null=True, on_delete=fields.RESTRICT, related_name=False)
    at = fields.DatetimeField()
    business_date = fields.DateField()

    class Meta:
        app = "loyalty"
        table = "bonus_entry"
        indexes = (
            Index(fields=("customer_id", "id"), name="bonus_entry_customer"),
            Index(fields=("receipt_id",), name="bonus_entry_receipt"),
        )


class BonusEntryComment(Model):
    """A person's words about an entry. Kept apart because they may be personal, and then can be erased."""

    entry = fields.OneToOneField("loyalty.BonusEntry", primary_key=True, on_delete=fields.RESTRICT, related_name=False)
    text = fields.CharField(max_length=500)

    class Meta:
        app = "loyalty"
        table = "bonus_entry_comment"


class BonusLot(Model):
    """Bonuses credited together: spendable while `activates_at` <= now < `expires_at` (null = for ever)."""

    id = fields.BigIntField(primary_key=True)
    customer = fields.ForeignKeyField("loyalty.Customer", on_delete=fields.RESTRICT, related_name=False)
    entry = fields.ForeignKeyField("loyalty.BonusEntry", on_delete=fields.RESTRICT, related_name=False)
    amount = fields.BigIntField()
    remaining = fields.BigIntField()
    activates_at = fields.DatetimeField()
    expires_at = fields.DatetimeField(null=True)
    source = fields.CharField(max_length=12)

    class Meta:
        app = "loyalty"
        table = "bonus_lot"
        indexes = (Index(fields=("entry_id",), name="bonus_lot_entry"),)


class BonusAllocation(Model):
    """How much of a lot an entry took; below zero, how much it gave back."""

    id = fields.BigIntField(primary_key=True)
    entry = fields.ForeignKeyField("loyalty.BonusEntry", on_delete=fields.RESTRICT, related_name=False)
    lot = fields.ForeignKeyField("loyalty.BonusLot", on_delete=fields.RESTRICT, related_name=False)
    amount = fields.BigIntField()

    class Meta:
        app = "loyalty"
        table = "bonus_allocation"
        indexes = (
            Index(fields=("entry_id",), name="bonus_allocation_entry"),
            Index(fields=("lot_id",), name="bonus_allocation_lot"),
        )


class OnceOnlyBonus(Model):
    """A tombstone: this person has had this bonus in this period. It outlives the person's erasure.

    `person` is a keyed hash of the verified phone, or of the customer's id where there is no phone.
    """

    id = fields.BigIntField(primary_key=True)
    person = fields.CharField(max_length=64)
    kind = fields.CharField(max_length=12)
    period = fields.CharField(max_length=10)
    entry = fields.ForeignKeyField("loyalty.BonusEntry", on_delete=fields.RESTRICT, related_name=False)

    class Meta:
        app = "loyalty"
        table = "once_only_bonus"
        unique_together = (("person", "kind", "period"),)


class TierChange(Model):
    """A customer's way through the tiers. `tier_id` 0 is the base tier."""

    id = fields.BigIntField(primary_key=True)
    customer = fields.ForeignKeyField("loyalty.Customer", on_delete=fields.RESTRICT, related_name=False)
    tier_id = fields.SmallIntField()
    previous_tier_id = fields.SmallIntField()
    receipt = fields.ForeignKeyField("loyalty.Receipt", null=True, on_delete=fields.RESTRICT, related_name=False)
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    reason = fields.CharField(max_length=12)  # threshold, refund, window, by_hand, hand_ended
    at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "tier_change"
        indexes = (Index(fields=("customer_id", "id"), name="tier_change_customer"),)


class Hold(Model):
    """Bonuses set aside for a sale to come. While it is held, nothing else spends them, nor do they expire.

    Asked for without a card, it waits for the customer's tap in the chat (`asked`) and names no lots before it.
    """

    id = fields.BigIntField(primary_key=True)
    source = fields.CharField(max_length=8)  # till, api
    location = fields.ForeignKeyField("loyalty.Location", on_delete=fields.RESTRICT, related_name=False)
    external_id = fields.CharField(max_length=64)
    customer = fields.ForeignKeyField("loyalty.Customer", on_delete=fields.RESTRICT, related_name=False)
    total = fields.BigIntField()  # minor units of the sale it is for, after discounts
    amount = fields.BigIntField()
    state = fields.CharField(max_length=10)  # asked, held, confirmed, voided, declined, lapsed
    presence = fields.CharField(max_length=8, null=True)  # what proved that the customer was there
    code_step = fields.BigIntField(null=True)  # of the card's code, when that was it: no sale uses it again
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    decided_at = fields.DatetimeField(null=True)
    receipt = fields.ForeignKeyField("loyalty.Receipt", null=True, on_delete=fields.RESTRICT, related_name=False)
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    api_key = fields.ForeignKeyField("loyalty.ApiKey", null=True, on_delete=fields.RESTRICT, related_name=False)
    body_hash = fields.CharField(max_length=64)

    class Meta:
        app = "loyalty"
        table = "hold"
        unique_together = (("source", "location_id", "external_id"),)


class Referral(Model):
    """Who invited whom. Both are rewarded when the invitee's first receipt is past its return period."""

    invitee = fields.OneToOneField("loyalty.Customer", primary_key=True, on_delete=fields.RESTRICT, related_name=False)
    referrer = fields.ForeignKeyField("loyalty.Customer", on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()
    state = fields.CharField(max_length=10)  # waiting, due, paid, refused, undone
    reason = fields.CharField(max_length=24, null=True)  # why it was refused
    receipt = fields.ForeignKeyField("loyalty.Receipt", null=True, on_delete=fields.RESTRICT, related_name=False)
    due_at = fields.DatetimeField(null=True)
    entry = fields.ForeignKeyField("loyalty.BonusEntry", null=True, on_delete=fields.RESTRICT, related_name=False)
    invitee_entry = fields.ForeignKeyField(
        "loyalty.BonusEntry", null=True, on_delete=fields.RESTRICT, related_name=False
    )

    class Meta:
        app = "loyalty"
        table = "referral"
        indexes = (Index(fields=("referrer_id", "created_at"), name="referral_referrer"),)


class CreditRequest(Model):
    """A credit by hand that is too large for one person: it waits for the word of a second one."""

    id = fields.BigIntField(primary_key=True)
    customer = fields.ForeignKeyField("loyalty.Customer", on_delete=fields.RESTRICT, related_name=False)
    amount = fields.BigIntField()
    comment = fields.CharField(max_length=500)
    key = fields.CharField(max_length=64, unique=True)
    staff = fields.ForeignKeyField("loyalty.StaffMember", on_delete=fields.RESTRICT, related_name=False)
    state = fields.CharField(max_length=9)  # waiting, approved, refused, withdrawn
    decided_by = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    entry = fields.ForeignKeyField("loyalty.BonusEntry", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()
    decided_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "credit_request"
        indexes = (Index(fields=("customer_id", "id"), name="credit_request_customer"),)
