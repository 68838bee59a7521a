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


class MassAction(Model):
    """One act on many customers, done a little at a time. Whom it concerns stands in `mass_action_row`.

    That table's two-column key the ORM cannot declare: the migration creates it and plain SQL uses it. params: what to
    do; look: the search and the filter they were found by. place: the last customer it has been through, by id.
    resumed_at, resumed_from: since when it runs, and how far it was then. undo_of: whose changes it takes back.
    """

    id = fields.IntField(primary_key=True)
    key = fields.CharField(max_length=60, unique=True)  # made by the form: pressing twice starts once
    kind = fields.CharField(max_length=16)
    params = fields.JSONField[dict[str, object]]()
    look = fields.JSONField[dict[str, str] | None](null=True)  # null: ticked one by one
    state = fields.CharField(max_length=9)  # running, paused, done, cancelled, undoing, undone
    total = fields.IntField(default=0)
    done = fields.IntField(default=0)
    skipped = fields.IntField(default=0)
    failed = fields.IntField(default=0)
    place = fields.BigIntField(default=0)
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()
    resumed_at = fields.DatetimeField()
    resumed_from = fields.IntField(default=0)
    finished_at = fields.DatetimeField(null=True)
    undo_of = fields.OneToOneField("loyalty.MassAction", null=True, on_delete=fields.RESTRICT, related_name=False)

    class Meta:
        app = "loyalty"
        table = "mass_action"
