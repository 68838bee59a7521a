"""Tables of webhooks. Private to this room; the statements that record sales and entries write events beside them."""

from tortoise import fields
from tortoise.indexes import Index
from tortoise.models import Model


class WebhookEndpoint(Model):
    """Another program's address, and what it wants to be told of. Its secret is drawn from `salt`, not kept."""

    id = fields.IntField(primary_key=True)
    name = fields.CharField(max_length=100)
    url = fields.CharField(max_length=500)
    topics = fields.JSONField[list[str]]()
    salt = fields.CharField(max_length=32)
    is_active = fields.BooleanField()
    given_up = fields.IntField()  # events given up since the last one that arrived
    stopped_at = fields.DatetimeField(null=True)  # switched off by us, because too much was given up
    created_at = fields.DatetimeField()
    created_by = fields.ForeignKeyField("loyalty.StaffMember", null=True, on_delete=fields.RESTRICT, related_name=False)

    class Meta:
        app = "loyalty"
        table = "webhook_endpoint"


class WebhookEvent(Model):
    """Something that happened while somebody listened. `is_spread`: its deliveries are made."""

    id = fields.BigIntField(primary_key=True)
    key = fields.UUIDField(unique=True)
    type = fields.CharField(max_length=32)
    data = fields.JSONField[dict[str, object]]()
    at = fields.DatetimeField()
    is_spread = fields.BooleanField()

    class Meta:
        app = "loyalty"
        table = "webhook_event"
        indexes = (Index(fields=("at",), name="webhook_event_at"),)


class WebhookDelivery(Model):
    """One event on its way to one endpoint."""

    id = fields.BigIntField(primary_key=True)
    event = fields.ForeignKeyField("loyalty.WebhookEvent", on_delete=fields.CASCADE, related_name=False)
    endpoint = fields.ForeignKeyField("loyalty.WebhookEndpoint", on_delete=fields.CASCADE, related_name=False)
    state = fields.CharField(max_length=8)
    attempts = fields.SmallIntField()
    due_at = fields.DatetimeField()
    leased_until = fields.DatetimeField(null=True)
    tried_at = fields.DatetimeField(null=True)
    status = fields.SmallIntField(null=True)  # of the last answer
    trouble = fields.CharField(max_length=16, null=True)

    class Meta:
        app = "loyalty"
        table = "webhook_delivery"
        unique_together = (("event_id", "endpoint_id"),)
        indexes = (Index(fields=("endpoint_id", "id"), name="webhook_delivery_endpoint"),)
