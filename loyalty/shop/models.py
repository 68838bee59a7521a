"""Tables of the chain. Private to this room."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class Shop(Model):
    """The chain: one row, written by the first migration.

    Source of the currency: ISO 4217; `exponent` is its number of decimals (0, 2 or 3) and never changes once
    a receipt exists.
    """

    id = fields.SmallIntField(primary_key=True, generated=False)
    name = fields.CharField(max_length=100, default="")
    currency = fields.CharField(max_length=3)
    exponent = fields.SmallIntField()
    region = fields.CharField(max_length=2)  # default region of phones typed without a country code
    language = fields.CharField(max_length=2)
    time_zone = fields.CharField(max_length=40)

    class Meta:
        app = "loyalty"
        table = "shop"


class Location(Model):
    """A place that sells."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=100)
    address = fields.CharField(max_length=200, default="")
    time_zone = fields.CharField(max_length=40)
    burns_without_code = fields.BooleanField(default=False)
    is_open = fields.BooleanField(default=True)
    hours = fields.JSONField[list[list[str] | None] | None](null=True)  # of each weekday, Monday first; null: not told
    created_at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "location"


class FiscalDrive(Model):
    """The memory of a cash register of ours: receipts that name another one were not sold by us."""

    fn = fields.CharField(max_length=16, primary_key=True, generated=False)
    location = fields.ForeignKeyField("loyalty.Location", on_delete=fields.RESTRICT, related_name=False)

    class Meta:
        app = "loyalty"
        table = "fiscal_drive"
        indexes = (Index(fields=("location_id",), name="fiscal_drive_location"),)


class Programme(Model):
    """A version of the programme's settings; the newest with `effective_from` not ahead of now applies."""

    id = fields.IntField(primary_key=True)
    effective_from = fields.DatetimeField()
    body = fields.JSONField[dict[str, object]]()
    staff = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    created_at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "programme"
        indexes = (Index(fields=("effective_from", "id"), name="programme_effective"),)
