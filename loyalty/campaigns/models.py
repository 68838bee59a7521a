"""Tables of campaigns. Private to this room.

Whom a campaign chose, and which wording they drew, stands in `recipient`, and which of its links they followed in
`campaign_click`: their keys of two and three columns the ORM cannot declare, so the migrations create them and plain
SQL uses them.
"""

from tortoise import fields
from tortoise.indexes import Index, PartialIndex
from tortoise.models import Model


class Campaign(Model):
    """One message to many. Its audience is frozen when it starts, and never changes after.

    texts: {language: text}; other_texts: the same of each wording after the first, of which everybody draws one.
    fallbacks: {variable: {language: text}} for people of whom nothing is known there. buttons: [{"kind": link, reply or
    card, "labels": {language: label}, "url": …}]. preferred: the channels in order of preference, by commas; channels:
    those in which somebody was written to. look: the search and the filter that its people are found by; null: ids,
    ticked one by one. acknowledged_*: what its author confirmed before it started: the version of the words, the words
    themselves, in their language. queued, sent …: how its recipients stood at `counted_at`.

    starts_at: when it is due; null: at once. repeat: {"every": week, month or cron, …} in `zone`; each time is a
    campaign of its own, whose `series` this is. control_bp: the share that is not written to, drawn by `seed`;
    window_days: for how long purchases count. bonus: hundredths for each to whom it was sent, living bonus_days.
    report: what came of it, as of `reported_at`. prices: {channel: what a message cost there when it began}, in
    hundredths of a minor unit, of the channels whose price was known; null: it began before anybody asked.
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
    other_texts = fields.JSONField[list[dict[str, str]] | None](null=True)
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
    prices = fields.JSONField[dict[str, int] | None](null=True)

    class Meta:
        app = "loyalty"
        table = "campaign"


class Automation(Model):
    """Something happens to a person, and a list of steps follows. Kept when it is put away: its runs name it.

    params: of the trigger, by name. conditions: a filter as addresses have it; who does not meet it is not begun with.
    steps: as `rules.automations` keeps them. since: what happened before it was switched on does not count. place: the
    last row of the trigger's table that was looked at. channels: those that worked when it was switched on.
    acknowledged_*: what was confirmed then, for messages that advertise.
    """

    id = fields.IntField(primary_key=True)
    key = fields.CharField(max_length=60, unique=True)  # made by the form: pressing twice makes one
    name = fields.CharField(max_length=80)
    trigger = fields.CharField(max_length=12)
    params = fields.JSONField[dict[str, int]]()
    conditions = fields.TextField(default="")
    steps = fields.JSONField[list[dict[str, object]]]()
    is_on = fields.BooleanField(default=False)
    since = fields.DatetimeField(null=True)
    place = fields.BigIntField(default=0)
    looks_at = fields.DatetimeField(null=True)  # when somebody is looked for next
    channels = fields.CharField(max_length=60, default="")
    acknowledged_version = fields.SmallIntField(default=0)
    acknowledged_language = fields.CharField(max_length=2, default="")
    acknowledged_text = fields.TextField(default="")
    acknowledged_by = fields.ForeignKeyField(
        "loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False
    )
    acknowledged_at = fields.DatetimeField(null=True)
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    archived_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "automation"


class AutomationRun(Model):
    """One person on their way through an automation, once for each thing that happened to them.

    key: which thing, as its trigger names it. step: the next one. outcomes: of the steps behind:
    [{"step": 0, "kind": "message", "outcome": "done" or "passed", "reason": …, "at": …}].
    """

    id = fields.BigIntField(primary_key=True)
    automation = fields.ForeignKeyField("loyalty.Automation", on_delete=fields.RESTRICT, related_name=False)
    customer = fields.ForeignKeyField("loyalty.Customer", on_delete=fields.RESTRICT, related_name=False)
    key = fields.CharField(max_length=60)
    state = fields.CharField(max_length=8)  # waiting, done, stopped, failed
    step = fields.SmallIntField(default=0)
    due_at = fields.DatetimeField()
    tries = fields.SmallIntField(default=0)
    reason = fields.CharField(max_length=24, null=True)
    outcomes = fields.JSONField[list[dict[str, object]]]()
    started_at = fields.DatetimeField()
    finished_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "automation_run"
        unique_together = (("automation", "customer", "key"),)
        indexes = (
            PartialIndex(fields=("due_at", "id"), name="automation_run_due", condition={"state": "waiting"}),
            Index(fields=("customer_id", "id"), name="automation_run_customer"),
            Index(fields=("automation_id", "id"), name="automation_run_automation"),
        )
