"""Tables of the office. Private to this room."""

from tortoise import fields
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
