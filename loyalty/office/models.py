"""Tables of the office. Private to this room."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Proof(Model):
    """The outcome of one look at the books. `differences`: those told one by one; `unshown`: how many more."""

    id = fields.IntField(primary_key=True)
    at = fields.DatetimeField()
    seconds = fields.IntField()
    customers = fields.BigIntField()
    entries = fields.BigIntField()
    lots = fields.BigIntField()
    receipts = fields.BigIntField()
    differences = fields.JSONField[list[dict[str, object]]]()
    unshown = fields.IntField()

    class Meta:
        app = "loyalty"
        table = "proof"


class Merge(Model):
    """Two cards of one person made one. `moved`: what went over, so that it can be taken back.

    survivor and merged are customers; the merged card leads to the survivor.
    """

    id = fields.IntField(primary_key=True)
    survivor = fields.ForeignKeyField("loyalty.Customer", on_delete=fields.RESTRICT, related_name=False)
    merged = fields.ForeignKeyField("loyalty.Customer", on_delete=fields.RESTRICT, related_name=False)
    moved = fields.JSONField[dict[str, object]]()
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    at = fields.DatetimeField()
    undone_at = fields.DatetimeField(null=True)
    undone_by = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)

    class Meta:
        app = "loyalty"
        table = "merge"
        indexes = (
            Index(fields=("survivor_id",), name="merge_survivor"),
            Index(fields=("merged_id",), name="merge_merged"),
        )
