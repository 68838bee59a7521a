"""Tables of surveys. Private to this room."""

from tortoise import fields
from tortoise.indexes import Index, PartialIndex
from tortoise.models import Model


class SurveyProgramme(Model):
    """After which purchases people are asked, and what they are thanked with. One row.

    texts: {language: {part: text}} in the shop's own words, parts as in rules; what is left out is said in the house's.
    links: {location id, or "0" for everywhere: address} that promoters are shown. location_ids: null for all.
    """

    id = fields.SmallIntField(primary_key=True)
    is_on = fields.BooleanField()
    delay_hours = fields.SmallIntField()
    pause_days = fields.SmallIntField()
    minimum = fields.BigIntField()  # of a receipt, minor units
    location_ids = fields.JSONField[list[int] | None](null=True)
    texts = fields.JSONField[dict[str, dict[str, str]]]()
    links = fields.JSONField[dict[str, str]]()
    bonus = fields.BigIntField()  # hundredths, once in a lifetime; 0 for none
    makes_tasks = fields.BooleanField()  # for a score of 0 to 6
    assignee = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    looked_at = fields.BigIntField(default=0)  # the last receipt that was looked at
    updated_at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "survey_programme"


class SurveyRun(Model):
    """Asking on demand: everybody whom a look finds, frozen when it starts."""

    id = fields.IntField(primary_key=True)
    key = fields.CharField(max_length=60, unique=True)
    look = fields.JSONField[dict[str, str] | None](null=True)
    total = fields.IntField(default=0)
    skipped = fields.IntField(default=0)
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()
    cancelled_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "survey_run"


class SurveyInvitation(Model):
    """One person asked once, or to be asked, or left out and why.

    key: "receipt:ID" or "run:RUN:CUSTOMER". location, cashier, team_member: whom the answer tells of.
    """

    id = fields.BigIntField(primary_key=True)
    key = fields.CharField(max_length=60, unique=True)
    customer = fields.ForeignKeyField("loyalty.Customer", on_delete=fields.RESTRICT, related_name=False)
    run = fields.ForeignKeyField("loyalty.SurveyRun", null=True, on_delete=fields.RESTRICT, related_name=False)
    receipt = fields.ForeignKeyField("loyalty.Receipt", null=True, on_delete=fields.RESTRICT, related_name=False)
    location = fields.ForeignKeyField("loyalty.Location", null=True, on_delete=fields.RESTRICT, related_name=False)
    cashier = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    team_member = fields.ForeignKeyField("loyalty.TeamMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    state = fields.CharField(max_length=8)  # waiting, asked, answered, skipped, expired
    reason = fields.CharField(max_length=24, null=True)
    due_at = fields.DatetimeField()
    asked_at = fields.DatetimeField(null=True)
    message = fields.ForeignKeyField("loyalty.Message", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "survey_invitation"
        indexes = (
            PartialIndex(fields=("due_at", "id"), name="survey_invitation_due", condition={"state": "waiting"}),
            Index(fields=("customer_id", "id"), name="survey_invitation_customer"),
            Index(fields=("run_id",), name="survey_invitation_run"),
            Index(fields=("asked_at",), name="survey_invitation_asked"),
        )


class SurveyAnswer(Model):
    """What one person answered to one invitation; changeable for a day. The newest of a customer is in their facts."""

    invitation = fields.OneToOneField(
        "loyalty.SurveyInvitation", primary_key=True, on_delete=fields.RESTRICT, related_name=False
    )
    customer = fields.ForeignKeyField("loyalty.Customer", on_delete=fields.RESTRICT, related_name=False)
    score = fields.SmallIntField()  # 0 to 10
    comment = fields.TextField(null=True)
    location = fields.ForeignKeyField("loyalty.Location", null=True, on_delete=fields.RESTRICT, related_name=False)
    cashier = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    team_member = fields.ForeignKeyField("loyalty.TeamMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    channel = fields.CharField(max_length=10)
    answered_at = fields.DatetimeField()
    changed_at = fields.DatetimeField(null=True)
    commented_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "survey_answer"
        indexes = (
            Index(fields=("answered_at", "invitation_id"), name="survey_answer_time"),
            Index(fields=("customer_id", "answered_at"), name="survey_answer_customer"),
        )
