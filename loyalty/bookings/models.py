"""Tables of bookings. Private to this room.

Which services an appointment is for stands in `appointment_service`; who was served by whom, with what, in
`customer_team_member`, `customer_service` and `customer_service_category`. Their keys have two columns, which the ORM
cannot declare: the migrations create them and plain SQL uses them.
"""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class TeamMember(Model):
    """Somebody who serves customers: a hairdresser, a barista. Not an account of the panel. Never deleted."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=100)
    position = fields.CharField(max_length=100, default="")  # what they are
    location = fields.ForeignKeyField("loyalty.Location", null=True, on_delete=fields.RESTRICT, related_name=False)
    external_id = fields.CharField(max_length=64, null=True, unique=True)  # in the program that books
    created_at = fields.DatetimeField()
    archived_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "team_member"


class ServiceCategory(Model):
    """A group of services."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=100)
    external_id = fields.CharField(max_length=64, null=True, unique=True)
    created_at = fields.DatetimeField()
    archived_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "service_category"


class Service(Model):
    """Something that is done for customers at a time."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=200)
    category = fields.ForeignKeyField(
        "loyalty.ServiceCategory", null=True, on_delete=fields.RESTRICT, related_name=False
    )
    category_id: int | None
    external_id = fields.CharField(max_length=64, null=True, unique=True)
    created_at = fields.DatetimeField()
    archived_at = fields.DatetimeField(null=True)

    class Meta:
        app = "loyalty"
        table = "service"


class Appointment(Model):
    """A booked time. `business_date` is its local day at the location; tips in minor units.

    `external_id` is its name in the program that books; unique there, so that sending it twice is safe.
    """

    id = fields.BigIntField(primary_key=True)
    customer = fields.ForeignKeyField("loyalty.Customer", on_delete=fields.RESTRICT, related_name=False)
    location = fields.ForeignKeyField("loyalty.Location", on_delete=fields.RESTRICT, related_name=False)
    team_member = fields.ForeignKeyField("loyalty.TeamMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    starts_at = fields.DatetimeField()
    ends_at = fields.DatetimeField(null=True)
    business_date = fields.DateField()
    state = fields.CharField(max_length=9)  # planned, came, cancelled, no_show
    source = fields.CharField(max_length=7)  # online, phone, walk_in
    tips = fields.BigIntField(default=0)
    external_id = fields.CharField(max_length=64, null=True)
    body_hash = fields.CharField(max_length=64, null=True)  # of what made it, under its key
    created_at = fields.DatetimeField()
    created_via = fields.CharField(max_length=10)  # api, import, panel
    created_by = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)
    api_key = fields.ForeignKeyField("loyalty.ApiKey", null=True, on_delete=fields.RESTRICT, related_name=False)
    updated_at = fields.DatetimeField()

    class Meta:
        app = "loyalty"
        table = "appointment"
        indexes = (
            Index(fields=("customer_id", "starts_at"), name="appointment_customer"),
            Index(fields=("starts_at",), name="appointment_starts"),
            Index(fields=("updated_at", "id"), name="appointment_updated"),
        )
