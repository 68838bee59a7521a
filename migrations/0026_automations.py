"""Automations, and each person's way through one."""

import functools
from json import dumps, loads

from tortoise import fields
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index, PartialIndex
from tortoise.migrations import operations as ops

from loyalty import migrating

# Who came into a segment lately is looked for by the minute.
CHECKS = """
ALTER TABLE automation_run
    ADD CONSTRAINT automation_run_state CHECK (state IN ('waiting', 'done', 'stopped', 'failed')),
    ADD CONSTRAINT automation_run_over CHECK ((state = 'waiting') = (finished_at IS NULL));
ALTER TABLE automation
    ADD CONSTRAINT automation_on CHECK (NOT is_on OR since IS NOT NULL AND archived_at IS NULL);
CREATE INDEX segment_member_added ON segment_member (segment_id, added_at);
"""
CHECKS_BACK = """
DROP INDEX segment_member_added;
ALTER TABLE automation DROP CONSTRAINT automation_on;
ALTER TABLE automation_run DROP CONSTRAINT automation_run_over, DROP CONSTRAINT automation_run_state;
"""


class Migration(migrating.Migration):
    """`automation`, `automation_run`."""

    dependencies = [("loyalty", "0025_closed_tasks")]

    initial = False

    operations = [
        ops.CreateModel(
            name='Automation',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('key', fields.CharField(unique=True, max_length=60)),
                ('name', fields.CharField(max_length=80)),
                ('trigger', fields.CharField(max_length=12)),
                ('params', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('conditions', fields.TextField(default='', unique=False)),
                ('steps', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('is_on', fields.BooleanField(default=False)),
                ('since', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('place', fields.BigIntField(default=0)),
                ('looks_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('channels', fields.CharField(default='', max_length=60)),
                ('acknowledged_version', fields.SmallIntField(default=0)),
                ('acknowledged_language', fields.CharField(default='', max_length=2)),
                ('acknowledged_text', fields.TextField(default='', unique=False)),
                ('acknowledged_by', fields.ForeignKeyField('loyalty.StaffMember', source_field='acknowledged_by_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('acknowledged_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('staff', fields.ForeignKeyField('loyalty.StaffMember', source_field='staff_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('updated_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('archived_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'automation', 'app': 'loyalty', 'pk_attr': 'id', 'table_description': 'Something happens to a person, and a list of steps follows. Kept when it is put away: its runs name it.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='AutomationRun',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('automation', fields.ForeignKeyField('loyalty.Automation', source_field='automation_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('customer', fields.ForeignKeyField('loyalty.Customer', source_field='customer_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('key', fields.CharField(max_length=60)),
                ('state', fields.CharField(max_length=8)),
                ('step', fields.SmallIntField(default=0)),
                ('due_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('tries', fields.SmallIntField(default=0)),
                ('reason', fields.CharField(null=True, max_length=24)),
                ('outcomes', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('started_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('finished_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'automation_run', 'app': 'loyalty', 'unique_together': (('automation', 'customer', 'key'),), 'indexes': [PartialIndex(fields=['due_at', 'id'], name='automation_run_due', condition={'state': 'waiting'}), Index(fields=['customer_id', 'id'], name='automation_run_customer'), Index(fields=['automation_id', 'id'], name='automation_run_automation')], 'pk_attr': 'id', 'table_description': 'One person on their way through an automation, once for each thing that happened to them.'},
            bases=['Model'],
        ),
        ops.RunSQL(CHECKS, CHECKS_BACK),
    ]
