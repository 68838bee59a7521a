"""Tables of campaigns. Private to this room.

Whom a campaign chose stands in `recipient`, whose two-column key the ORM cannot declare: the migration creates it and
plain SQL uses it.
"""

from tortoise import fields
from tortoise.models import Model


class Campaign(Model):
    """One message to many. Its audience is frozen when it starts, and never changes after.

    texts: {language: text}. channels: those in which somebody was written to, in the shop's order, by commas. look: the
    search and the filter that its people were found by; null: ticked one by one. acknowledged_*: what its author
    confirmed before it started: the version of the words, the words themselves, in their language. queued, sent …: how
    its recipients stood at `counted_at`.
    """

    id = fields.IntField(primary_key=True)
    key = fields.CharField(max_length=60, unique=True)  # made by the form: pressing twice starts once
    name = fields.CharField(max_length=80)
    topic = fields.CharField(max_length=10)  # marketing
    texts = fields.JSONField[dict[str, str]]()
    channels = fields.CharField(max_length=60)
    look = fields.JSONField[dict[str, str] | None](null=True)
    state = fields.CharField(max_length=9)  # running, paused, finished, cancelled
    pause_reason = fields.CharField(max_length=20, null=True)  # null: a person paused it
    acknowledged_version = fields.SmallIntField()
    acknowledged_language = fields.CharField(max_length=2)
    acknowledged_text = fields.TextField()
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()
    resumed_at = fields.DatetimeField()
    resumed_from = fields.IntField(default=0)
    finished_at = fields.DatetimeField(null=True)
    place = fields.BigIntField(default=0)  # the last recipient made into a message, by the customer's id
    total = fields.IntField(default=0)
    skipped = fields.IntField(default=0)
    queued = fields.IntField(default=0)
    sent = fields.IntField(default=0)
    delivered = fields.IntField(default=0)
    read = fields.IntField(default=0)
    failed = fields.IntField(default=0)
    unknown = fields.IntField(default=0)
    cancelled = fields.IntField(default=0)
    counted_at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "campaign"
