"""Tables of segments, of rules that label customers, and of ways to look at the base. Private to this room.

Who is in one stands in `segment_member`, whose two-column key the ORM cannot declare: the migrations create it and
plain SQL uses it.
"""

from tortoise import fields
from tortoise.models import Model


class Segment(Model):
    """A named group of customers: filled by hand, or whoever meets its conditions.

    Never deleted: what was sent to it names it.
    """

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=60)
    description = fields.CharField(max_length=200, default="")
    is_at_till = fields.BooleanField(default=False)  # cashiers may give it after a sale
    is_exclusion = fields.BooleanField(db_default=False)  # who is in it gets no campaign
    conditions = fields.JSONField[dict[str, object] | None](null=True)  # null: filled by hand
    created_by = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()
    archived_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "segment"


class SegmentSize(Model):
    """How many customers a segment had on a day of the shop's."""

    id = fields.BigIntField(primary_key=True)
    segment = fields.ForeignKeyField("loyalty.Segment", on_delete=fields.RESTRICT, related_name=False)
    day = fields.DateField()
    size = fields.IntField()
    counted_at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "segment_size"
        unique_together = (("segment", "day"),)


class LabelRule(Model):
    """Gives customers who meet its conditions a category, a personal discount or an importance class.

    target: category, discount, importance. value: the category's or class's id, or basis points. Of several rules
    that fit, the first one by position sets discount and importance.
    """

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=60)
    target = fields.CharField(max_length=10)
    value = fields.IntField()
    conditions = fields.JSONField[dict[str, object]]()
    position = fields.SmallIntField()
    is_active = fields.BooleanField(default=True)
    created_by = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()
    due_at = fields.DatetimeField(null=True)  # when it is to be applied next
    applied_at = fields.DatetimeField(null=True)
    size = fields.IntField(default=0)  # to how many it was applied then
    archived_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "label_rule"


class SavedView(Model):
    """A look at the base that somebody keeps: the query of its address. Shared ones are everybody's to open."""

    id = fields.IntField(primary_key=True)
    staff = fields.ForeignKeyField("loyalty.StaffMember", on_delete=fields.RESTRICT, related_name=False)
    name = fields.CharField(max_length=60)
    query = fields.TextField()
    is_shared = fields.BooleanField(default=False)
    created_at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "saved_view"


class TableLayout(Model):
    """The columns of a table as one person wants them: [[key, is pinned], ...] in order."""

    staff = fields.OneToOneField("loyalty.StaffMember", primary_key=True, on_delete=fields.RESTRICT, related_name=False)
    columns = fields.JSONField[list[list[object]]]()

    class Meta:
        app = "loyalty"
        table = "table_layout"
