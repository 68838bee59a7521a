"""Tables of staff. Private to this room."""

from tortoise import fields
from tortoise.indexes import Index, PartialIndex
from tortoise.models import Model


class StaffMember(Model):
    """An account of the panel. Never deleted: the journal and the ledger name it.

    Its rights are for the locations in `staff_location`, whose two-column key the ORM cannot declare; without a row
    there, for the whole chain.
    """

    id = fields.IntField(primary_key=True)
    email = fields.CharField(max_length=254, unique=True)  # lower case
    name = fields.CharField(max_length=100)
    role = fields.CharField(max_length=16)
    phone = fields.CharField(max_length=16, null=True)  # E.164: nobody serves their own account
    language = fields.CharField(max_length=2, null=True)
    location = fields.ForeignKeyField("loyalty.Location", null=True, on_delete=fields.RESTRICT, related_name=False)
    location_id: int | None
    password_hash = fields.CharField(max_length=200, null=True)  # argon2id; null until the invitation is taken
    sessions_from = fields.DatetimeField()  # sessions begun before it are signed out
    is_active = fields.BooleanField(default=True)
    created_at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "staff_member"


class StaffInvitation(Model):
    """A link that lets its holder set a password once. Only the token's hash is kept."""

    id = fields.IntField(primary_key=True)
    staff = fields.ForeignKeyField("loyalty.StaffMember", on_delete=fields.RESTRICT, related_name=False)
    staff_id: int
    token_hash = fields.CharField(max_length=64, unique=True)
    expires_at = fields.DatetimeField()
    used_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "staff_invitation"
        indexes = (Index(fields=("staff_id",), name="staff_invitation_staff"),)


class ApiKey(Model):
    """A key of another program: a till, a shop, a warehouse. Only the secret's hash is kept."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=100)
    prefix = fields.CharField(max_length=12)  # the first characters of the key, to tell keys apart by
    secret_hash = fields.CharField(max_length=64, unique=True)
    scopes = fields.JSONField[list[str]]()
    location_ids = fields.JSONField[list[int] | None](null=True)  # null: every location
    created_at = fields.DatetimeField()
    created_by = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    last_used_at = fields.DatetimeField(null=True)  # to the minute
    revoked_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "api_key"


class JournalEntry(Model):
    """Who did what, when. Append-only; `details` holds ids, codes and numbers, never names or phones."""

    id = fields.BigIntField(primary_key=True)
    at = fields.DatetimeField()
    actor_kind = fields.CharField(max_length=8)
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    api_key = fields.ForeignKeyField("loyalty.ApiKey", null=True, on_delete=fields.RESTRICT, related_name=False)
    action = fields.CharField(max_length=40)
    subject_kind = fields.CharField(max_length=20, null=True)
    subject_id = fields.BigIntField(null=True)
    details = fields.JSONField[dict[str, object]]()

    class Meta:
        app = "loyalty"
        table = "journal_entry"
        indexes = (Index(fields=("subject_kind", "subject_id", "id"), name="journal_entry_subject"),)


class StaffLetter(Model):
    """An e-mail to a person of the panel: row first, sent later. Its words go once it is sent or has failed."""

    id = fields.BigIntField(primary_key=True)
    key = fields.CharField(max_length=60, unique=True)  # one cause writes once
    staff = fields.ForeignKeyField("loyalty.StaffMember", on_delete=fields.RESTRICT, related_name=False)
    address = fields.CharField(max_length=254)
    subject = fields.CharField(max_length=200)
    text = fields.TextField()
    state = fields.CharField(max_length=7)  # queued, leased, sent, failed
    attempts = fields.SmallIntField(default=0)
    due_at = fields.DatetimeField()
    reason = fields.CharField(max_length=60, null=True)
    created_at = fields.DatetimeField()
    sent_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "staff_letter"
        indexes = (PartialIndex(fields=("due_at",), name="staff_letter_queued", condition={"state": "queued"}),)
