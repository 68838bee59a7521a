"""Tables of campaigns. Private to this room.

Whom a campaign chose stands in `recipient`, and which of its links they followed in `campaign_click`: their keys of two
and three columns the ORM cannot declare, so the migrations create them and plain SQL uses them.
"""

from tortoise import fields
from tortoise.models import Model


class Campaign(Model):
    """One message to many. Its audience is frozen when it starts, and never changes after.

    texts: {language: text}. fallbacks: {variable: {language: text}} for people of whom nothing is known there. buttons:
    [{"kind": link, reply or card, "labels": {language: label}, "url": …}]. preferred: the channels in order of
    preference, by commas; channels: those in which somebody was written to. look: the search and the filter that its
    people are found by; null: ids, ticked one by one. acknowledged_*: what its author confirmed before it started: the
    version of the words, the words themselves, in their language. queued, sent …: how its recipients stood at
    `counted_at`.

    starts_at: when it is due; null: at once. repeat: {"every": week, month or cron, …} in `zone`; each time is a
    campaign of its own, whose `series` this is. control_bp: the share that is not written to, drawn by `seed`;
    window_days: for how long purchases count. bonus: hundredths for each to whom it was sent, living bonus_days.
    report: what came of it, as of `reported_at`.
    """

    id = fields.IntField(primary_key=True)
    key = fields.CharField(max_length=60, unique=True)  # made by the form: pressing twice starts once
    name = fields.CharField(max_length=80)
    topic = fields.CharField(max_length=10)  # marketing
    texts = fields.JSONField[dict[str, str]]()
    channels = fields.CharField(max_length=60)
    look = fields.JSONField[dict[str, str] | None](null=True)
    state = fields.CharField(max_length=9)  # draft, scheduled, running, paused, finished, cancelled
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
    updated_at = fields.DatetimeField(null=True)  # of a draft
    preferred = fields.CharField(max_length=60, db_default="")
    fallbacks = fields.JSONField[dict[str, dict[str, str]]](null=True)
    buttons = fields.JSONField[list[dict[str, object]]](null=True)
    attachment = fields.ForeignKeyField("loyalty.Attachment", null=True, on_delete=fields.RESTRICT, related_name=False)
    template = fields.ForeignKeyField(
        "loyalty.MessageTemplate", null=True, on_delete=fields.RESTRICT, related_name=False
    )
    ids = fields.JSONField[list[int] | None](null=True)
    starts_at = fields.DatetimeField(null=True)
    started_at = fields.DatetimeField(null=True)
    send_until = fields.DatetimeField(null=True)
    repeat = fields.JSONField[dict[str, object] | None](null=True)
    zone = fields.CharField(max_length=40, db_default="")
    series = fields.ForeignKeyField("loyalty.Campaign", null=True, on_delete=fields.RESTRICT, related_name=False)
    control_bp = fields.SmallIntField(db_default=0)
    seed = fields.IntField(db_default=0)
    window_days = fields.SmallIntField(db_default=0)
    control = fields.IntField(db_default=0)  # how many are of the control group
    bonus = fields.BigIntField(db_default=0)
    bonus_days = fields.SmallIntField(db_default=0)
    report = fields.JSONField[dict[str, object] | None](null=True)
    reported_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "campaign"
