"""What the whole bonus engine keeps: holds, referrals, keys of tills, discounts, and what a receipt remembers."""

from loyalty import migrating
from tortoise.migrations import operations as ops
import functools
from json import dumps, loads
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrating.Migration):
    dependencies = [('loyalty', '0004_rules_of_conversations')]

    initial = False

    operations = [
        ops.CreateModel(
            name='ApiKey',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('name', fields.CharField(max_length=100)),
                ('prefix', fields.CharField(max_length=12)),
                ('secret_hash', fields.CharField(unique=True, max_length=64)),
                ('scopes', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('location_ids', fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('created_by', fields.ForeignKeyField('loyalty.StaffMember', source_field='created_by_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('last_used_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('revoked_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'api_key', 'app': 'loyalty', 'pk_attr': 'id', 'table_description': "A key of another program: a till, a shop, a warehouse. Only the secret's hash is kept."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Hold',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('source', fields.CharField(max_length=8)),
                ('location', fields.ForeignKeyField('loyalty.Location', source_field='location_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('external_id', fields.CharField(max_length=64)),
                ('customer', fields.ForeignKeyField('loyalty.Customer', source_field='customer_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('total', fields.BigIntField()),
                ('amount', fields.BigIntField()),
                ('state', fields.CharField(max_length=10)),
                ('presence', fields.CharField(null=True, max_length=8)),
                ('code_step', fields.BigIntField(null=True)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('expires_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('decided_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('receipt', fields.ForeignKeyField('loyalty.Receipt', source_field='receipt_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('staff', fields.ForeignKeyField('loyalty.StaffMember', source_field='staff_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('api_key', fields.ForeignKeyField('loyalty.ApiKey', source_field='api_key_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('body_hash', fields.CharField(max_length=64)),
            ],
            options={'table': 'hold', 'app': 'loyalty', 'unique_together': (('source', 'location_id', 'external_id'),), 'pk_attr': 'id', 'table_description': 'Bonuses set aside for a sale to come. While it is held, nothing else spends them, nor do they expire.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Referral',
            fields=[
                ('invitee', fields.OneToOneField('loyalty.Customer', source_field='invitee_id', primary_key=True, db_index=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('referrer', fields.ForeignKeyField('loyalty.Customer', source_field='referrer_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('state', fields.CharField(max_length=10)),
                ('reason', fields.CharField(null=True, max_length=24)),
                ('receipt', fields.ForeignKeyField('loyalty.Receipt', source_field='receipt_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('due_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('entry', fields.ForeignKeyField('loyalty.BonusEntry', source_field='entry_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('invitee_entry', fields.ForeignKeyField('loyalty.BonusEntry', source_field='invitee_entry_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
            ],
            options={'table': 'referral', 'app': 'loyalty', 'indexes': [Index(fields=['referrer_id', 'created_at'], name='referral_referrer')], 'pk_attr': 'invitee_id', 'table_description': "Who invited whom. Both are rewarded when the invitee's first receipt is past its return period."},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='Customer',
            name='birthday_changes',
            field=fields.SmallIntField(db_default=0),
        ),
        ops.AddField(
            model_name='Customer',
            name='birthday_set_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='Customer',
            name='referral_code',
            field=fields.CharField(null=True, unique=True, max_length=12),
        ),
        ops.AddField(
            model_name='Customer',
            name='updated_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.RunSQL('UPDATE customer SET updated_at = created_at', 'SELECT 1'),
        ops.AlterField(
            model_name='Customer',
            name='updated_at',
            field=fields.DatetimeField(auto_now=False, auto_now_add=False),
        ),
        ops.AddIndex(
            model_name='Customer',
            index=Index(fields=['updated_at', 'id'], name='customer_updated'),
        ),
        ops.AddField(
            model_name='CustomerFacts',
            name='discount_bp',
            field=fields.SmallIntField(db_default=0),
        ),
        ops.AddField(
            model_name='CustomerFacts',
            name='tier_due_at',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='CustomerFacts',
            name='tier_until',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='JournalEntry',
            name='api_key',
            field=fields.ForeignKeyField('loyalty.ApiKey', source_field='api_key_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT),
        ),
        ops.AddField(
            model_name='Receipt',
            name='api_key',
            field=fields.ForeignKeyField('loyalty.ApiKey', source_field='api_key_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT),
        ),
        ops.AddField(
            model_name='Receipt',
            name='discount',
            field=fields.BigIntField(db_default=0),
        ),
        ops.AddField(
            model_name='Receipt',
            name='fiscal_fn',
            field=fields.CharField(null=True, max_length=16),
        ),
        ops.AddField(
            model_name='Receipt',
            name='fiscal_fp',
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name='Receipt',
            name='fiscal_i',
            field=fields.BigIntField(null=True),
        ),
        ops.AddField(
            model_name='Receipt',
            name='forgiven',
            field=fields.BigIntField(db_default=0),
        ),
        ops.AddField(
            model_name='Receipt',
            name='kept_back',
            field=fields.BigIntField(db_default=0),
        ),
        ops.AddField(
            model_name='Receipt',
            name='programme',
            field=fields.ForeignKeyField('loyalty.Programme', source_field='programme_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT),
        ),
        ops.AddField(
            model_name='Receipt',
            name='promo_code',
            field=fields.CharField(null=True, max_length=32),
        ),
        ops.AddField(
            model_name='Receipt',
            name='tier_id',
            field=fields.SmallIntField(db_default=0),
        ),
        ops.AddField(
            model_name='TierChange',
            name='staff',
            field=fields.ForeignKeyField('loyalty.StaffMember', source_field='staff_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT),
        ),
        ops.AddIndex(
            model_name='Receipt',
            index=Index(fields=['staff_id', 'business_date'], name='receipt_shift'),
        ),
    ]
