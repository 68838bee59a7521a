"""Tables of people. Private to this room.

Three tables per customer, by how they change: the profile (texts, written rarely, searched by trigrams), the
facts (one narrow row of counters, written with each receipt), and pairs whose primary key starts with the
other side. Pair tables (`customer_location`) have two-column keys, which the ORM cannot declare: the migrations
create them and plain SQL uses them.
"""

from tortoise import fields
from tortoise.indexes import Index, PartialIndex
from tortoise.models import Model


class Customer(Model):
    """A person's profile. A person is not a messenger account, and may have no phone."""

    id = fields.BigIntField(primary_key=True)
    name = fields.CharField(max_length=100)
    phone = fields.CharField(max_length=16, null=True, unique=True)  # E.164
    phone_verified_at = fields.DatetimeField(null=True)
    email = fields.CharField(max_length=254, null=True)
    card_number = fields.CharField(max_length=8, unique=True)
    gender = fields.CharField(max_length=1, null=True)  # f, m
    birthday = fields.DateField(null=True)
    birthday_set_at = fields.DatetimeField(null=True)  # since when this date is known
    birthday_changes = fields.SmallIntField(db_default=0)  # by the customer, who may correct it once
    referral_code = fields.CharField(max_length=12, null=True, unique=True)  # made when first asked for
    language = fields.CharField(max_length=2)
    home_location = fields.ForeignKeyField("loyalty.Location", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()  # of the profile, for those who keep a copy of the base
    created_via = fields.CharField(max_length=10)
    created_by = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)

    class Meta:
        app = "loyalty"
        table = "customer"
        indexes = (Index(fields=("updated_at", "id"), name="customer_updated"),)


class CustomerFacts(Model):
    """Counters and flags of one customer, kept in the transaction that changes what they count.

    No NULLs: the epoch stands for "never", so that keyset paging has an order. Money in minor units, bonuses
    in hundredths. This row is the customer's lock: whoever changes money takes it first.
    """

    customer = fields.OneToOneField("loyalty.Customer", primary_key=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()
    sold = fields.BigIntField(default=0)  # receipts after discounts, before bonuses, net of refunds
    paid = fields.BigIntField(default=0)  # the money part of it
    receipts = fields.IntField(default=0)  # sales not wholly refunded
    visits = fields.IntField(default=0)  # days x locations with such a sale
    first_visit_at = fields.DatetimeField()
    last_visit_at = fields.DatetimeField()
    balance = fields.BigIntField(default=0)  # sum of the entries; below zero = debt
    debt = fields.BigIntField(default=0)  # what lots could not cover
    earned = fields.BigIntField(default=0)
    burnt = fields.BigIntField(default=0)
    expired = fields.BigIntField(default=0)
    tier_id = fields.SmallIntField(default=0)
    tier_until = fields.DatetimeField(null=True)  # set by hand, until then; null: the window decides
    tier_due_at = fields.DatetimeField(null=True)  # when the tier is to be looked at again; null: nothing to lose
    discount_bp = fields.SmallIntField(db_default=0)  # personal discount
    birthday_code = fields.SmallIntField(default=0)  # month * 100 + day; 0 = unknown
    telegram = fields.BooleanField(db_default=False)  # has an account there that can be written to
    whatsapp = fields.BooleanField(db_default=False)

    class Meta:
        app = "loyalty"
        table = "customer_facts"
        indexes = (
            Index(fields=("created_at", "customer_id"), name="customer_facts_created"),
            Index(fields=("last_visit_at", "customer_id"), name="customer_facts_last_visit"),
            Index(fields=("sold", "customer_id"), name="customer_facts_sold"),
            Index(fields=("visits", "customer_id"), name="customer_facts_visits"),
            Index(fields=("balance", "customer_id"), name="customer_facts_balance"),
        )


class MessengerAccount(Model):
    """One account of somebody in a messenger. A person has any number; before registration it is nobody's."""

    id = fields.BigIntField(primary_key=True)
    channel = fields.CharField(max_length=10)  # telegram, whatsapp
    address = fields.CharField(max_length=140)  # the messenger's name for it, where to write to: the chat's number
    alias = fields.CharField(max_length=140, null=True)  # another one for the same account: WhatsApp's wa_id
    phone = fields.CharField(max_length=16, null=True)  # E.164, as the messenger vouches for it
    customer = fields.ForeignKeyField("loyalty.Customer", null=True, on_delete=fields.RESTRICT, related_name=False)
    name = fields.CharField(max_length=100)  # as they call themselves there
    username = fields.CharField(max_length=64, null=True)
    language = fields.CharField(max_length=2)
    is_active = fields.BooleanField(default=True)  # whether anything arrives there
    inactive_reason = fields.CharField(max_length=20, null=True)  # blocked, gone
    inactive_at = fields.DatetimeField(null=True)
    takes_service = fields.BooleanField(db_default=True)  # what may be written there, by topic
    takes_marketing = fields.BooleanField(db_default=True)
    takes_surveys = fields.BooleanField(db_default=True)
    is_default = fields.BooleanField(default=False)  # of a person's accounts, the one we write to
    created_at = fields.DatetimeField()
    linked_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "messenger_account"
        unique_together = (("channel", "address"),)
        indexes = (Index(fields=("customer_id",), name="messenger_account_customer"),)


class LinkRequest(Model):
    """An account that may be a customer's, by a phone that nobody has proven: staff decide."""

    id = fields.BigIntField(primary_key=True)
    account = fields.ForeignKeyField("loyalty.MessengerAccount", on_delete=fields.RESTRICT, related_name=False)
    customer = fields.ForeignKeyField("loyalty.Customer", on_delete=fields.RESTRICT, related_name=False)
    state = fields.CharField(max_length=8)  # open, accepted, refused
    created_at = fields.DatetimeField()
    decided_at = fields.DatetimeField(null=True)
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)

    class Meta:
        app = "loyalty"
        table = "link_request"
        indexes = (
            PartialIndex(fields=("created_at",), name="link_request_open", condition={"state": "open"}),
            Index(fields=("customer_id",), name="link_request_customer"),
            Index(fields=("account_id",), name="link_request_account"),
        )


class Consent(Model):
    """One statement of a customer about a topic; the newest of a topic holds."""

    id = fields.BigIntField(primary_key=True)
    customer = fields.ForeignKeyField("loyalty.Customer", on_delete=fields.RESTRICT, related_name=False)
    topic = fields.CharField(max_length=10)  # terms, marketing, surveys
    granted = fields.BooleanField()
    source = fields.CharField(max_length=10)
    text_version = fields.CharField(max_length=20)
    at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "consent"
        indexes = (Index(fields=("customer_id", "topic", "id"), name="consent_customer"),)


class RegistrationStep(Model):
    """What a customer did on the way in, and when."""

    id = fields.BigIntField(primary_key=True)
    customer = fields.ForeignKeyField("loyalty.Customer", on_delete=fields.RESTRICT, related_name=False)
    step = fields.CharField(max_length=20)
    via = fields.CharField(max_length=10)
    at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "registration_step"
        indexes = (Index(fields=("customer_id", "id"), name="registration_step_customer"),)


class Note(Model):
    """What staff wrote about a customer. Personal words: erasable."""

    id = fields.BigIntField(primary_key=True)
    customer = fields.ForeignKeyField("loyalty.Customer", on_delete=fields.RESTRICT, related_name=False)
    staff = fields.ForeignKeyField("loyalty.StaffMember", on_delete=fields.RESTRICT, related_name=False)
    staff_id: int
    text = fields.TextField()
    created_at = fields.DatetimeField()
    edited_at = fields.DatetimeField(null=True)
    deleted_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "note"
        indexes = (Index(fields=("customer_id", "id"), name="note_customer"),)
