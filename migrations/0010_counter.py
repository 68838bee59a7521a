"""Segments by hand, fiscal receipts from the chat, sales that wait for their customer, credits that want two people."""

from loyalty import migrating
from tortoise.migrations import operations as ops
import functools
from json import dumps, loads
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index

CHECKS = """
ALTER TABLE credit_request ADD CONSTRAINT credit_request_state
        CHECK (state IN ('waiting', 'approved', 'refused', 'withdrawn')),
    ADD CONSTRAINT credit_request_amount CHECK (amount > 0),
    ADD CONSTRAINT credit_request_entry CHECK ((state = 'approved') = (entry_id IS NOT NULL)),
    ADD CONSTRAINT credit_request_two CHECK (state <> 'approved' OR decided_by_id <> staff_id);
ALTER TABLE fiscal_claim ADD CONSTRAINT fiscal_claim_state
        CHECK (state IN ('waiting', 'approved', 'matched', 'refused')),
    ADD CONSTRAINT fiscal_claim_receipt CHECK ((state IN ('approved', 'matched')) = (receipt_id IS NOT NULL)),
    ADD CONSTRAINT fiscal_claim_total CHECK (total > 0);
ALTER TABLE fiscal_report ADD CONSTRAINT fiscal_report_total CHECK (total > 0);
ALTER TABLE waiting_sale ADD CONSTRAINT waiting_sale_state
        CHECK (state IN ('waiting', 'credited', 'withdrawn', 'lapsed', 'refused')),
    ADD CONSTRAINT waiting_sale_receipt CHECK ((state = 'credited') = (receipt_id IS NOT NULL)),
    ADD CONSTRAINT waiting_sale_total CHECK (total > 0);
"""
CHECKS_BACK = """
ALTER TABLE waiting_sale DROP CONSTRAINT waiting_sale_state, DROP CONSTRAINT waiting_sale_receipt,
    DROP CONSTRAINT waiting_sale_total;
ALTER TABLE fiscal_report DROP CONSTRAINT fiscal_report_total;
ALTER TABLE fiscal_claim DROP CONSTRAINT fiscal_claim_state, DROP CONSTRAINT fiscal_claim_receipt,
    DROP CONSTRAINT fiscal_claim_total;
ALTER TABLE credit_request DROP CONSTRAINT credit_request_state, DROP CONSTRAINT credit_request_amount,
    DROP CONSTRAINT credit_request_entry, DROP CONSTRAINT credit_request_two;
"""

MEMBERS = """
CREATE TABLE segment_member (
    segment_id INT NOT NULL REFERENCES segment (id) ON DELETE RESTRICT,
    customer_id BIGINT NOT NULL REFERENCES customer (id) ON DELETE RESTRICT,
    added_at TIMESTAMPTZ NOT NULL,
    staff_id INT REFERENCES staff_member (id) ON DELETE RESTRICT,
    PRIMARY KEY (segment_id, customer_id)
);
CREATE INDEX segment_member_customer ON segment_member (customer_id);
CREATE UNIQUE INDEX segment_name ON segment (lower(name)) WHERE archived_at IS NULL;
"""
MEMBERS_BACK = "DROP INDEX segment_name; DROP TABLE segment_member"

# What waits is little; the past costs these indexes nothing. Receipts are written in the order of their time: a
# summary of each stretch of the table finds a day of all locations, and costs a sale next to nothing.
INDEXES = """
CREATE INDEX credit_request_waiting ON credit_request (id) WHERE state = 'waiting';
CREATE INDEX fiscal_claim_waiting ON fiscal_claim (id) WHERE state = 'waiting';
CREATE INDEX waiting_sale_phone ON waiting_sale (phone) WHERE state = 'waiting';
CREATE INDEX waiting_sale_came ON waiting_sale (customer_id) WHERE state = 'waiting';
CREATE INDEX waiting_sale_expiring ON waiting_sale (expires_at) WHERE state = 'waiting';
CREATE INDEX receipt_at ON receipt USING brin (at) WITH (autosummarize = on);
CREATE INDEX journal_entry_refused ON journal_entry (at) WHERE action IN ('sale.refused', 'credit.refused');
"""
INDEXES_BACK = """
DROP INDEX journal_entry_refused, receipt_at, waiting_sale_expiring, waiting_sale_came, waiting_sale_phone, fiscal_claim_waiting,
    credit_request_waiting;
"""


class Migration(migrating.Migration):
    dependencies = [('loyalty', '0009_webhooks')]

    initial = False

    operations = [
        ops.CreateModel(
            name='ChannelLink',
            fields=[
                ('source', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('link', fields.CharField(max_length=200)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'channel_link', 'app': 'loyalty', 'pk_attr': 'source', 'table_description': 'How people come to an account of ours in a messenger, as whoever receives there found out.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='CreditRequest',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('customer', fields.ForeignKeyField('loyalty.Customer', source_field='customer_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('amount', fields.BigIntField()),
                ('comment', fields.CharField(max_length=500)),
                ('key', fields.CharField(unique=True, max_length=64)),
                ('staff', fields.ForeignKeyField('loyalty.StaffMember', source_field='staff_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('state', fields.CharField(max_length=9)),
                ('decided_by', fields.ForeignKeyField('loyalty.StaffMember', source_field='decided_by_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('entry', fields.ForeignKeyField('loyalty.BonusEntry', source_field='entry_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('decided_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'credit_request', 'app': 'loyalty', 'indexes': [Index(fields=['customer_id', 'id'], name='credit_request_customer')], 'pk_attr': 'id', 'table_description': 'A credit by hand that is too large for one person: it waits for the word of a second one.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='FiscalClaim',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('customer', fields.ForeignKeyField('loyalty.Customer', source_field='customer_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('fn', fields.CharField(max_length=16)),
                ('i', fields.BigIntField()),
                ('fp', fields.BigIntField()),
                ('total', fields.BigIntField()),
                ('sold_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('source', fields.CharField(max_length=5)),
                ('media', fields.ForeignKeyField('loyalty.Media', source_field='media_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.SET_NULL)),
                ('location', fields.ForeignKeyField('loyalty.Location', source_field='location_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('state', fields.CharField(max_length=8)),
                ('reason', fields.CharField(null=True, max_length=32)),
                ('receipt', fields.ForeignKeyField('loyalty.Receipt', source_field='receipt_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('staff', fields.ForeignKeyField('loyalty.StaffMember', source_field='staff_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('decided_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'fiscal_claim', 'app': 'loyalty', 'unique_together': (('fn', 'i', 'fp'),), 'indexes': [Index(fields=['customer_id', 'created_at'], name='fiscal_claim_customer')], 'pk_attr': 'id', 'table_description': 'A fiscal receipt that a customer sent in the chat: their word, until a till or a colleague bears it out.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='FiscalDrive',
            fields=[
                ('fn', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=16)),
                ('location', fields.ForeignKeyField('loyalty.Location', source_field='location_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
            ],
            options={'table': 'fiscal_drive', 'app': 'loyalty', 'indexes': [Index(fields=['location_id'], name='fiscal_drive_location')], 'pk_attr': 'fn', 'table_description': 'The memory of a cash register of ours: receipts that name another one were not sold by us.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='FiscalReport',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('fn', fields.CharField(max_length=16)),
                ('i', fields.BigIntField()),
                ('fp', fields.BigIntField()),
                ('location', fields.ForeignKeyField('loyalty.Location', source_field='location_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('total', fields.BigIntField()),
                ('sold_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('api_key', fields.ForeignKeyField('loyalty.ApiKey', source_field='api_key_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'fiscal_report', 'app': 'loyalty', 'unique_together': (('fn', 'i', 'fp'),), 'pk_attr': 'id', 'table_description': 'A fiscal receipt that a till or a fiscal data provider told of without naming the customer.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Segment',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('name', fields.CharField(max_length=60)),
                ('description', fields.CharField(default='', max_length=200)),
                ('is_at_till', fields.BooleanField(default=False)),
                ('created_by', fields.ForeignKeyField('loyalty.StaffMember', source_field='created_by_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('archived_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'segment', 'app': 'loyalty', 'pk_attr': 'id', 'table_description': 'A named group of customers, filled by hand. Never deleted: what was sent to it names it.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='WaitingSale',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('token', fields.CharField(unique=True, max_length=16)),
                ('phone', fields.CharField(null=True, max_length=16)),
                ('location', fields.ForeignKeyField('loyalty.Location', source_field='location_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('external_id', fields.CharField(max_length=64)),
                ('total', fields.BigIntField()),
                ('staff', fields.ForeignKeyField('loyalty.StaffMember', source_field='staff_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('state', fields.CharField(max_length=9)),
                ('reason', fields.CharField(null=True, max_length=32)),
                ('receipt', fields.ForeignKeyField('loyalty.Receipt', source_field='receipt_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('customer', fields.ForeignKeyField('loyalty.Customer', source_field='customer_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('decided_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'waiting_sale', 'app': 'loyalty', 'unique_together': (('location_id', 'external_id'),), 'indexes': [Index(fields=['staff_id', 'created_at'], name='waiting_sale_shift')], 'pk_attr': 'id', 'table_description': 'A sale to somebody who is not registered yet: it is credited when they are.'},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='Location',
            name='hours',
            field=fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads),
        ),
        ops.RunSQL(CHECKS, CHECKS_BACK),
        ops.RunSQL(MEMBERS, MEMBERS_BACK),
        ops.RunSQL(INDEXES, INDEXES_BACK),
    ]
