"""Tables of purchases. Private to this room."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Receipt(Model):
    """A sale or a refund, with the snapshot of what the rules gave and why.

    Money in minor units, bonuses in hundredths. A refund names its `original` and repeats what it took back:
    `burnt` is what it restored, `earned` what it reversed. The key (source, location, external id) is the
    till's own; the same key with the same body is answered with `answer` again.
    """

    id = fields.BigIntField(primary_key=True)
    kind = fields.CharField(max_length=6)  # sale, refund
    source = fields.CharField(max_length=8)  # till, api, import, chat
    location = fields.ForeignKeyField("loyalty.Location", on_delete=fields.RESTRICT, related_name=False)
    external_id = fields.CharField(max_length=64)
    customer = fields.ForeignKeyField("loyalty.Customer", on_delete=fields.RESTRICT, related_name=False)
    original = fields.ForeignKeyField("loyalty.Receipt", null=True, on_delete=fields.RESTRICT, related_name=False)
    total = fields.BigIntField()  # after discounts, before bonuses
    paid = fields.BigIntField()  # the money part
    burnt = fields.BigIntField()
    earned = fields.BigIntField()
    refunded = fields.BigIntField(default=0)  # of a sale: how much of `total` was taken back so far
    discount = fields.BigIntField(db_default=0)  # personal, which we subtracted to come to `total`
    forgiven = fields.BigIntField(db_default=0)  # of a refund: earned bonuses that were due and not taken back
    kept_back = fields.BigIntField(db_default=0)  # of a refund: minor units that the till keeps for them instead
    tier_id = fields.SmallIntField(db_default=0)  # whose rate it earned by
    programme = fields.ForeignKeyField("loyalty.Programme", null=True, on_delete=fields.RESTRICT, related_name=False)
    promo_code = fields.CharField(max_length=32, null=True)
    fiscal_fn = fields.CharField(max_length=16, null=True)  # fiscal drive, document and sign of the cash register
    fiscal_i = fields.BigIntField(null=True)
    fiscal_fp = fields.BigIntField(null=True)
    awards = fields.JSONField[list[dict[str, object]]]()  # the snapshot: rule, base, rate, bonuses
    presence = fields.CharField(max_length=8, null=True)  # what proved that the customer was there for a burn
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    api_key = fields.ForeignKeyField("loyalty.ApiKey", null=True, on_delete=fields.RESTRICT, related_name=False)
    at = fields.DatetimeField()
    business_date = fields.DateField()
    body_hash = fields.CharField(max_length=64)
    answer = fields.JSONField[dict[str, object]]()

    class Meta:
        app = "loyalty"
        table = "receipt"
        unique_together = (("source", "location_id", "external_id"),)
        indexes = (Index(fields=("customer_id", "at"), name="receipt_customer"),)


class FiscalClaim(Model):
    """A fiscal receipt that a customer sent in the chat: their word, until a till or a colleague bears it out.

    A fiscal receipt is claimed once, by whoever sends it first.
    """

    id = fields.BigIntField(primary_key=True)
    customer = fields.ForeignKeyField("loyalty.Customer", on_delete=fields.RESTRICT, related_name=False)
    fn = fields.CharField(max_length=16)
    i = fields.BigIntField()
    fp = fields.BigIntField()
    total = fields.BigIntField()  # minor units
    sold_at = fields.DatetimeField()
    source = fields.CharField(max_length=5)  # photo, text
    media = fields.ForeignKeyField("loyalty.Media", null=True, on_delete=fields.SET_NULL, related_name=False)
    location = fields.ForeignKeyField("loyalty.Location", null=True, on_delete=fields.RESTRICT, related_name=False)
    state = fields.CharField(max_length=8)  # waiting, approved, matched, refused
    reason = fields.CharField(max_length=32, null=True)  # why it waits for a person, or why it was refused
    receipt = fields.ForeignKeyField("loyalty.Receipt", null=True, on_delete=fields.RESTRICT, related_name=False)
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()
    decided_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "fiscal_claim"
        unique_together = (("fn", "i", "fp"),)
        indexes = (Index(fields=("customer_id", "created_at"), name="fiscal_claim_customer"),)


class FiscalReport(Model):
    """A fiscal receipt that a till or a fiscal data provider told of without naming the customer."""

    id = fields.BigIntField(primary_key=True)
    fn = fields.CharField(max_length=16)
    i = fields.BigIntField()
    fp = fields.BigIntField()
    location = fields.ForeignKeyField("loyalty.Location", on_delete=fields.RESTRICT, related_name=False)
    total = fields.BigIntField()
    sold_at = fields.DatetimeField()
    api_key = fields.ForeignKeyField("loyalty.ApiKey", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "fiscal_report"
        unique_together = (("fn", "i", "fp"),)


class WaitingSale(Model):
    """A sale to somebody who is not registered yet: it is credited when they are.

    They are known by `token`, which the link they scan carries, or by the phone they named at the till.
    """

    id = fields.BigIntField(primary_key=True)
    token = fields.CharField(max_length=16, unique=True)
    phone = fields.CharField(max_length=16, null=True)  # E.164
    location = fields.ForeignKeyField("loyalty.Location", on_delete=fields.RESTRICT, related_name=False)
    external_id = fields.CharField(max_length=64)  # the key made before the till's first try
    total = fields.BigIntField()
    staff = fields.ForeignKeyField("loyalty.StaffMember", on_delete=fields.RESTRICT, related_name=False)
    state = fields.CharField(max_length=9)  # waiting, credited, withdrawn, lapsed, refused
    reason = fields.CharField(max_length=32, null=True)
    receipt = fields.ForeignKeyField("loyalty.Receipt", null=True, on_delete=fields.RESTRICT, related_name=False)
    # Who has come for it while a limit still kept it from being credited.
    customer = fields.ForeignKeyField("loyalty.Customer", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    decided_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "waiting_sale"
        unique_together = (("location_id", "external_id"),)
        indexes = (Index(fields=("staff_id", "created_at"), name="waiting_sale_shift"),)
