"""Tables of segments. Private to this room.

Who is in one stands in `segment_member`, whose two-column key the ORM cannot declare: the migrations create it and
plain SQL uses it.
"""

from tortoise import fields
from tortoise.models import Model


class Segment(Model):
    """A named group of customers, filled by hand. Never deleted: what was sent to it names it."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=60)
    description = fields.CharField(max_length=200, default="")
    is_at_till = fields.BooleanField(default=False)  # cashiers may give it after a sale
    created_by = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()
    archived_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "segment"
