"""Tables of people. Private to this room.

Three tables per customer, by how they change: the profile (texts, written rarely, searched by trigrams), the
facts (one narrow row of counters, written with each receipt), and pairs whose primary key starts with the
other side. Pair tables (`customer_location`) have two-column keys, which the ORM cannot declare: the migrations
create them and plain SQL uses them.
"""

from datetime import date

from tortoise import fields
from tortoise.indexes import Index, PartialIndex
from tortoise.models import Model

from loyalty.customers.rules import NEVER

NO_DAY = date(1970, 1, 1)


class Customer(Model):
    """A person's profile. A person is not a messenger account, and may have no phone.

    The base keeps `search_name` beside the name: the name without marks, and that in one alphabet.
    """

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
    entry_link = fields.ForeignKeyField("loyalty.EntryLink", null=True, on_delete=fields.RESTRICT, related_name=False)
    deleted_at = fields.DatetimeField(null=True)  # hidden from the base, and can be taken back
    deleted_by = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    merged_into = fields.ForeignKeyField("loyalty.Customer", null=True, on_delete=fields.RESTRICT, related_name=False)
    erased_at = fields.DatetimeField(null=True)  # who they were is gone for good

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
    visits = fields.IntField(default=0)  # days x locations with such a sale, or with an appointment that came
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
    sms = fields.BooleanField(db_default=False)
    email = fields.BooleanField(db_default=False)
    is_hidden = fields.BooleanField(db_default=False)  # deleted, merged into another card, or erased: not in the base
    tips = fields.BigIntField(db_default=0)  # of appointments that came
    locations = fields.SmallIntField(db_default=0)  # visited ones
    year_days = fields.SmallIntField(db_default=0)  # days with a visit over the last year
    year_first_on = fields.DateField(db_default=NO_DAY)  # the first and the last of them
    year_last_on = fields.DateField(db_default=NO_DAY)
    frequency = fields.IntField(db_default=0)  # mean tenths of a day between them, from three days on; 0 = unknown
    next_booking_at = fields.DatetimeField(db_default=NEVER)  # the next planned appointment
    importance_id = fields.SmallIntField(db_default=0)  # a class of the owner's; 0 = none
    importance_rule_id = fields.IntField(db_default=0)  # the rule that set it; 0 = somebody did by hand
    discount_rule_id = fields.IntField(db_default=0)
    nps = fields.SmallIntField(db_default=-1)  # the newest answer, 0 to 10; -1: never answered
    nps_at = fields.DatetimeField(db_default=NEVER)  # when it was given

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
    """Where somebody can be written to. In messengers a person has any number; before registration it is nobody's.

    The phone and the e-mail of a profile are such places, too: one row each, which goes with them.
    """

    id = fields.BigIntField(primary_key=True)
    channel = fields.CharField(max_length=10)  # telegram, whatsapp, sms, email
    address = fields.CharField(
        max_length=254
    )  # where to write to: the chat's number in a messenger, a phone, an e-mail
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
        indexes = (
            Index(fields=("customer_id",), name="messenger_account_customer"),
            # Unique by an index of its own, but for e-mails, which families share.
            Index(fields=("channel", "address"), name="messenger_account_address"),
        )


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


class ConsentText(Model):
    """What people are asked to agree to, in one language. A version is never changed: a new one follows it."""

    id = fields.IntField(primary_key=True)
    topic = fields.CharField(max_length=10)  # terms, marketing
    version = fields.SmallIntField()
    language = fields.CharField(max_length=2)
    text = fields.TextField()
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    published_at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "consent_text"
        unique_together = (("topic", "version", "language"),)


class Question(Model):
    """Something that newcomers are asked in the chat.

    kind: birthday and gender are of the profile, one each, and have words of their own; text, date and choice are the
    shop's. labels: {language: question}. choices: [{"id": 1, "labels": {language: answer}}], whose ids stay.
    """

    id = fields.IntField(primary_key=True)
    kind = fields.CharField(max_length=8)  # birthday, gender, text, date, choice
    labels = fields.JSONField[dict[str, str]]()
    choices = fields.JSONField[list[dict[str, object]]]()
    is_required = fields.BooleanField()
    is_asked = fields.BooleanField()
    position = fields.SmallIntField()
    updated_at = fields.DatetimeField()
    deleted_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "question"


class Answer(Model):
    """What a customer answered to one of the shop's own questions: one of the three columns, by the question's kind."""

    id = fields.BigIntField(primary_key=True)
    customer = fields.ForeignKeyField("loyalty.Customer", on_delete=fields.RESTRICT, related_name=False)
    question = fields.ForeignKeyField("loyalty.Question", on_delete=fields.RESTRICT, related_name=False)
    text = fields.CharField(max_length=500, null=True)
    day = fields.DateField(null=True)
    choice = fields.SmallIntField(null=True)
    via = fields.CharField(max_length=10)
    at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "answer"
        unique_together = (("customer", "question"),)
        indexes = (Index(fields=("question_id", "choice"), name="answer_question"),)


class EntryLink(Model):
    """A link, or its QR code, by which people come: where it hangs, or who shows it. `code` stands in it."""

    id = fields.IntField(primary_key=True)
    code = fields.CharField(max_length=12, unique=True)
    name = fields.CharField(max_length=80)
    source = fields.CharField(max_length=40)  # in the shop's own words: flyer, instagram
    location = fields.ForeignKeyField("loyalty.Location", null=True, on_delete=fields.RESTRICT, related_name=False)
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()
    deleted_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "entry_link"


class EntryVisit(Model):
    """An account that opened an entry link, for the first time."""

    id = fields.BigIntField(primary_key=True)
    link = fields.ForeignKeyField("loyalty.EntryLink", on_delete=fields.RESTRICT, related_name=False)
    account = fields.ForeignKeyField("loyalty.MessengerAccount", on_delete=fields.RESTRICT, related_name=False)
    at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "entry_visit"
        unique_together = (("link", "account"),)


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


class Category(Model):
    """A coloured label for customers. Never deleted: rules and the journal name it.

    Who has it stands in `customer_category`, whose two-column key the ORM cannot declare: by whose hand, or by which
    rule.
    """

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=40)
    color = fields.CharField(max_length=8)  # a name of the palette
    created_by = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()
    archived_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "category"


class ImportanceClass(Model):
    """How much a customer matters, in the owner's words. The higher the rank, the more."""

    id = fields.SmallIntField(primary_key=True)
    name = fields.CharField(max_length=40)
    rank = fields.SmallIntField()
    archived_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "importance_class"
