"""Tables of tasks. Private to this room."""

from tortoise import fields
from tortoise.indexes import Index, PartialIndex
from tortoise.models import Model


class Task(Model):
    """Something that staff have to do, for a customer or for nobody in particular.

    key: of the form, the survey or the automation that made it: the same key makes it once. remind_at: when the
    assignee is to be told; reminded_at: when they were.
    """

    id = fields.BigIntField(primary_key=True)
    key = fields.CharField(max_length=80, unique=True)
    title = fields.CharField(max_length=200)
    details = fields.TextField(db_default="")
    customer = fields.ForeignKeyField("loyalty.Customer", null=True, on_delete=fields.RESTRICT, related_name=False)
    assignee = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    due_at = fields.DatetimeField(null=True)
    remind_at = fields.DatetimeField(null=True)
    reminded_at = fields.DatetimeField(null=True)
    state = fields.CharField(max_length=9)  # open, done, cancelled
    origin = fields.CharField(max_length=10)  # hand, inbox, survey, automation
    created_by = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    closed_by = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    closed_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "task"
        indexes = (
            PartialIndex(fields=("due_at", "id"), name="task_open", condition={"state": "open"}),
            PartialIndex(fields=("remind_at",), name="task_remind", condition={"state": "open"}),
            Index(fields=("customer_id", "id"), name="task_customer"),
            Index(fields=("assignee_id", "id"), name="task_assignee"),
            Index(fields=("closed_at", "id"), name="task_closed_at"),
        )


class StaffChat(Model):
    """The messenger account in which a member of staff is reminded, linked by a code that works once.

    code_hash, code_expires_at: of the code that is waiting to be used; account: none until one was.
    """

    staff = fields.OneToOneField("loyalty.StaffMember", primary_key=True, on_delete=fields.RESTRICT, related_name=False)
    account = fields.OneToOneField("loyalty.MessengerAccount", null=True, on_delete=fields.RESTRICT, related_name=False)
    linked_at = fields.DatetimeField(null=True)
    code_hash = fields.CharField(max_length=64, null=True, unique=True)
    code_expires_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "staff_chat"
