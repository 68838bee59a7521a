"""Webhooks: who listens, what happened, and what became of telling it."""

from loyalty import migrating
from tortoise.migrations import operations as ops
import functools
from json import dumps, loads
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index

CHECKS = """
ALTER TABLE webhook_delivery ADD CONSTRAINT webhook_delivery_state
        CHECK (state IN ('due', 'leased', 'done', 'failed', 'given_up')),
    ADD CONSTRAINT webhook_delivery_lease CHECK ((state = 'leased') = (leased_until IS NOT NULL));
"""
CHECKS_BACK = """
ALTER TABLE webhook_delivery DROP CONSTRAINT webhook_delivery_state, DROP CONSTRAINT webhook_delivery_lease;
"""

# What is new, due or under way is little; the past costs these indexes nothing.
INDEXES = """
CREATE INDEX webhook_event_new ON webhook_event (id) WHERE NOT is_spread;
CREATE INDEX webhook_delivery_due ON webhook_delivery (endpoint_id, due_at, id) WHERE state IN ('due', 'failed');
CREATE INDEX webhook_delivery_leased ON webhook_delivery (endpoint_id, leased_until) WHERE state = 'leased';
"""
INDEXES_BACK = "DROP INDEX webhook_delivery_leased, webhook_delivery_due, webhook_event_new"


class Migration(migrating.Migration):
    dependencies = [('loyalty', '0007_proofs')]

    initial = False

    operations = [
        ops.CreateModel(
            name='WebhookEndpoint',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('name', fields.CharField(max_length=100)),
                ('url', fields.CharField(max_length=500)),
                ('topics', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('salt', fields.CharField(max_length=32)),
                ('is_active', fields.BooleanField()),
                ('given_up', fields.IntField()),
                ('stopped_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('created_by', fields.ForeignKeyField('loyalty.StaffMember', source_field='created_by_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
            ],
            options={'table': 'webhook_endpoint', 'app': 'loyalty', 'pk_attr': 'id', 'table_description': "Another program's address, and what it wants to be told of. Its secret is drawn from `salt`, not kept."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='WebhookEvent',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('key', fields.UUIDField(unique=True)),
                ('type', fields.CharField(max_length=32)),
                ('data', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('is_spread', fields.BooleanField()),
            ],
            options={'table': 'webhook_event', 'app': 'loyalty', 'indexes': [Index(fields=['at'], name='webhook_event_at')], 'pk_attr': 'id', 'table_description': 'Something that happened while somebody listened. `is_spread`: its deliveries are made.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='WebhookDelivery',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('event', fields.ForeignKeyField('loyalty.WebhookEvent', source_field='event_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.CASCADE)),
                ('endpoint', fields.ForeignKeyField('loyalty.WebhookEndpoint', source_field='endpoint_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.CASCADE)),
                ('state', fields.CharField(max_length=8)),
                ('attempts', fields.SmallIntField()),
                ('due_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('leased_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('tried_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('status', fields.SmallIntField(null=True)),
                ('trouble', fields.CharField(null=True, max_length=16)),
            ],
            options={'table': 'webhook_delivery', 'app': 'loyalty', 'unique_together': (('event_id', 'endpoint_id'),), 'indexes': [Index(fields=['endpoint_id', 'id'], name='webhook_delivery_endpoint')], 'pk_attr': 'id', 'table_description': 'One event on its way to one endpoint.'},
            bases=['Model'],
        ),
        ops.RunSQL(CHECKS, CHECKS_BACK),
        ops.RunSQL(INDEXES, INDEXES_BACK),
    ]
