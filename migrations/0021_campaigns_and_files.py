"""Messages to many, files brought in and taken out, and letters to staff."""

import functools
from json import dumps, loads

from tortoise import fields
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index, PartialIndex
from tortoise.migrations import operations as ops

from loyalty import migrating

# One row a person, frozen when a campaign starts; also for those who are left out, with the reason. Customers and
# messages are never deleted, so no foreign key is looked up a million times.
RECIPIENTS = """
CREATE TABLE recipient (
    campaign_id INT NOT NULL REFERENCES campaign (id) ON DELETE RESTRICT,
    customer_id BIGINT NOT NULL,
    state VARCHAR(7) NOT NULL DEFAULT 'waiting',
    reason VARCHAR(24),
    account_id BIGINT,
    message_id BIGINT,
    PRIMARY KEY (campaign_id, customer_id)
);
ALTER TABLE recipient
    ADD CONSTRAINT recipient_state CHECK (state IN ('waiting', 'queued', 'done', 'skipped'));
CREATE INDEX recipient_left_out ON recipient (campaign_id, customer_id) WHERE state = 'skipped';
CREATE INDEX recipient_open ON recipient (campaign_id, customer_id) WHERE state = 'queued';
CREATE INDEX recipient_customer ON recipient (customer_id);
ALTER TABLE campaign
    ADD CONSTRAINT campaign_state CHECK (state IN ('running', 'paused', 'finished', 'cancelled'));
CREATE INDEX campaign_running ON campaign (id) WHERE state = 'running';
"""
RECIPIENTS_BACK = """
DROP INDEX campaign_running;
ALTER TABLE campaign DROP CONSTRAINT campaign_state;
DROP TABLE recipient;
"""
# The lines of a file as they were read, what is expected of each, what became of it, and what was there before.
# A zip is packed already: its pieces are not packed again.
FILES = """
CREATE TABLE file_import_row (
    import_id INT NOT NULL REFERENCES file_import (id) ON DELETE RESTRICT,
    number INT NOT NULL,
    cells JSONB NOT NULL,
    expected VARCHAR(7),
    state VARCHAR(7) NOT NULL DEFAULT 'waiting',
    reason VARCHAR(40),
    field VARCHAR(40),
    details JSONB,
    customer_id BIGINT,
    before JSONB,
    PRIMARY KEY (import_id, number)
);
ALTER TABLE file_import_row
    ADD CONSTRAINT file_import_row_expected CHECK (expected IN ('added', 'changed', 'same', 'refused')),
    ADD CONSTRAINT file_import_row_state CHECK (state IN ('waiting', 'added', 'changed', 'same', 'refused', 'undone'));
CREATE INDEX file_import_row_customer ON file_import_row (customer_id) WHERE customer_id IS NOT NULL;
ALTER TABLE file_import
    ADD CONSTRAINT file_import_state CHECK (state IN ('reading', 'mapping', 'checking', 'checked', 'running', 'paused',
        'done', 'cancelled', 'failed', 'undoing', 'undone'));
CREATE TABLE file_export_piece (
    export_id INT NOT NULL REFERENCES file_export (id) ON DELETE RESTRICT,
    number INT NOT NULL,
    body BYTEA NOT NULL,
    PRIMARY KEY (export_id, number)
);
ALTER TABLE file_export_piece ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE file_export
    ADD CONSTRAINT file_export_state CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled', 'expired'));
ALTER TABLE staff_letter
    ADD CONSTRAINT staff_letter_state CHECK (state IN ('queued', 'leased', 'sent', 'failed'));
"""
FILES_BACK = """
ALTER TABLE staff_letter DROP CONSTRAINT staff_letter_state;
ALTER TABLE file_export DROP CONSTRAINT file_export_state;
DROP TABLE file_export_piece;
ALTER TABLE file_import DROP CONSTRAINT file_import_state;
DROP TABLE file_import_row;
"""


class Migration(migrating.Migration):
    """`campaign`, `recipient`; `file_import`, `file_export`, their rows, pieces and downloads; `staff_letter`."""

    dependencies = [("loyalty", "0020_mass_actions")]

    initial = False

    operations = [
        ops.CreateModel(
            name='Campaign',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('key', fields.CharField(unique=True, max_length=60)),
                ('name', fields.CharField(max_length=80)),
                ('topic', fields.CharField(max_length=10)),
                ('texts', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('channels', fields.CharField(max_length=60)),
                ('look', fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('state', fields.CharField(max_length=9)),
                ('pause_reason', fields.CharField(null=True, max_length=20)),
                ('acknowledged_version', fields.SmallIntField()),
                ('acknowledged_language', fields.CharField(max_length=2)),
                ('acknowledged_text', fields.TextField(unique=False)),
                ('staff', fields.ForeignKeyField('loyalty.StaffMember', source_field='staff_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('resumed_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('resumed_from', fields.IntField(default=0)),
                ('finished_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('place', fields.BigIntField(default=0)),
                ('total', fields.IntField(default=0)),
                ('skipped', fields.IntField(default=0)),
                ('queued', fields.IntField(default=0)),
                ('sent', fields.IntField(default=0)),
                ('delivered', fields.IntField(default=0)),
                ('read', fields.IntField(default=0)),
                ('failed', fields.IntField(default=0)),
                ('unknown', fields.IntField(default=0)),
                ('cancelled', fields.IntField(default=0)),
                ('counted_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'campaign', 'app': 'loyalty', 'pk_attr': 'id', 'table_description': 'One message to many. Its audience is frozen when it starts, and never changes after.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='FileExport',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('key', fields.CharField(unique=True, max_length=60)),
                ('look', fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('chosen', fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('columns', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('location_ids', fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('shows_phones', fields.BooleanField()),
                ('language', fields.CharField(max_length=2)),
                ('email', fields.CharField(max_length=254)),
                ('state', fields.CharField(max_length=9)),
                ('failure', fields.CharField(null=True, max_length=40)),
                ('total', fields.IntField(default=0)),
                ('rows', fields.IntField(default=0)),
                ('size', fields.BigIntField(default=0)),
                ('staff', fields.ForeignKeyField('loyalty.StaffMember', source_field='staff_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('finished_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'file_export', 'app': 'loyalty', 'pk_attr': 'id', 'table_description': 'Customers taken out as a file. Its pieces stand in `file_export_piece` until `expires_at`.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='FileDownload',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('export', fields.ForeignKeyField('loyalty.FileExport', source_field='export_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('staff', fields.ForeignKeyField('loyalty.StaffMember', source_field='staff_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('by_link', fields.BooleanField()),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'file_download', 'app': 'loyalty', 'indexes': [Index(fields=['export_id', 'id'], name='file_download_export')], 'pk_attr': 'id', 'table_description': 'One time that somebody took an exported file: by its link from an e-mail, or from the log.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='FileImport',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('key', fields.CharField(unique=True, max_length=60)),
                ('kind', fields.CharField(max_length=16)),
                ('file_name', fields.CharField(max_length=120)),
                ('size', fields.IntField()),
                ('body', fields.BinaryField(null=True)),
                ('state', fields.CharField(max_length=9)),
                ('settings', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('failure', fields.CharField(null=True, max_length=40)),
                ('failure_details', fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('total', fields.IntField(default=0)),
                ('added', fields.IntField(default=0)),
                ('changed', fields.IntField(default=0)),
                ('same', fields.IntField(default=0)),
                ('refused', fields.IntField(default=0)),
                ('place', fields.IntField(default=0)),
                ('staff', fields.ForeignKeyField('loyalty.StaffMember', source_field='staff_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('resumed_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('resumed_from', fields.IntField(default=0)),
                ('finished_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('undone_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('undone_by', fields.ForeignKeyField('loyalty.StaffMember', source_field='undone_by_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('read_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'file_import', 'app': 'loyalty', 'pk_attr': 'id', 'table_description': 'A file of customers or appointments brought into the base. Its lines stand in `file_import_row` once it is read.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='StaffLetter',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('key', fields.CharField(unique=True, max_length=60)),
                ('staff', fields.ForeignKeyField('loyalty.StaffMember', source_field='staff_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('address', fields.CharField(max_length=254)),
                ('subject', fields.CharField(max_length=200)),
                ('text', fields.TextField(unique=False)),
                ('state', fields.CharField(max_length=7)),
                ('attempts', fields.SmallIntField(default=0)),
                ('due_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('reason', fields.CharField(null=True, max_length=60)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('sent_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'staff_letter', 'app': 'loyalty', 'indexes': [PartialIndex(fields=['due_at'], name='staff_letter_queued', condition={'state': 'queued'})], 'pk_attr': 'id', 'table_description': 'An e-mail to a person of the panel: row first, sent later. Its words go once it is sent or has failed.'},
            bases=['Model'],
        ),
        ops.RunSQL(RECIPIENTS, RECIPIENTS_BACK),
        ops.RunSQL(FILES, FILES_BACK),
    ]
