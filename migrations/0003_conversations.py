from loyalty import migrating
from tortoise.migrations import operations as ops
import functools
from json import dumps, loads
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index, PartialIndex

class Migration(migrating.Migration):
    dependencies = [('loyalty', '0002_rules_of_the_base')]

    initial = False

    operations = [
        ops.CreateModel(
            name='ChannelPause',
            fields=[
                ('source', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=40)),
                ('paused_until', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('reason', fields.CharField(max_length=20)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'channel_pause', 'app': 'loyalty', 'pk_attr': 'source', 'table_description': 'Why and until when nothing is sent through one account of ours. Kept here, so that no restart forgets it.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='IncomingUpdate',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('source', fields.CharField(max_length=40)),
                ('external_id', fields.BigIntField()),
                ('chat', fields.CharField(null=True, max_length=64)),
                ('body', fields.BinaryField(null=True)),
                ('state', fields.CharField(max_length=8)),
                ('reason', fields.CharField(null=True, max_length=60)),
                ('received_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('done_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'incoming_update', 'app': 'loyalty', 'unique_together': (('source', 'external_id'),), 'indexes': [PartialIndex(fields=['source', 'chat', 'external_id'], name='incoming_update_new', condition={'state': 'new'}), Index(fields=['received_at'], name='incoming_update_received')], 'pk_attr': 'id', 'table_description': 'What a messenger sent, as it came. Stored and committed before it is acknowledged.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='MessengerAccount',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('channel', fields.CharField(max_length=10)),
                ('address', fields.CharField(max_length=64)),
                ('customer', fields.ForeignKeyField('loyalty.Customer', source_field='customer_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('name', fields.CharField(max_length=100)),
                ('username', fields.CharField(null=True, max_length=64)),
                ('language', fields.CharField(max_length=2)),
                ('is_active', fields.BooleanField(default=True)),
                ('is_default', fields.BooleanField(default=False)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('linked_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'messenger_account', 'app': 'loyalty', 'unique_together': (('channel', 'address'),), 'indexes': [Index(fields=['customer_id'], name='messenger_account_customer')], 'pk_attr': 'id', 'table_description': "One account of somebody in a messenger. A person has any number; before registration it is nobody's."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Conversation',
            fields=[
                ('account', fields.OneToOneField('loyalty.MessengerAccount', source_field='account_id', primary_key=True, db_index=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('session', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('waiting_since', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('last_message_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'conversation', 'app': 'loyalty', 'indexes': [Index(fields=['waiting_since'], name='conversation_waiting')], 'pk_attr': 'account_id', 'table_description': 'The chat of one messenger account, with the dialog it is in. Its row is the lock of the chat.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Message',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('account', fields.ForeignKeyField('loyalty.MessengerAccount', source_field='account_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('customer', fields.ForeignKeyField('loyalty.Customer', source_field='customer_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('direction', fields.CharField(max_length=3)),
                ('kind', fields.CharField(max_length=24)),
                ('content', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('status', fields.CharField(max_length=9)),
                ('priority', fields.SmallIntField(default=0)),
                ('dedupe_key', fields.CharField(null=True, unique=True, max_length=80)),
                ('external_id', fields.CharField(null=True, max_length=80)),
                ('staff', fields.ForeignKeyField('loyalty.StaffMember', source_field='staff_id', null=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('created_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('due_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('leased_until', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('attempts', fields.SmallIntField(default=0)),
                ('reason', fields.CharField(null=True, max_length=60)),
                ('sent_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'message', 'app': 'loyalty', 'indexes': [Index(fields=['account_id', 'id'], name='message_account')], 'pk_attr': 'id', 'table_description': 'Something said by either side: a line of the log and, until it is sent, of the outbox.'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='Media',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('message', fields.ForeignKeyField('loyalty.Message', source_field='message_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('file_id', fields.CharField(max_length=200)),
                ('mime', fields.CharField(max_length=100)),
                ('size', fields.IntField(default=0)),
                ('body', fields.BinaryField(null=True)),
                ('state', fields.CharField(max_length=7)),
                ('due_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('attempts', fields.SmallIntField(default=0)),
            ],
            options={'table': 'media', 'app': 'loyalty', 'indexes': [Index(fields=['message_id'], name='media_message'), PartialIndex(fields=['due_at'], name='media_wanted', condition={'state': 'wanted'})], 'pk_attr': 'id', 'table_description': "A picture or file of a message. `file_id` is the messenger's name for it until `body` is here."},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ShownCard',
            fields=[
                ('message', fields.OneToOneField('loyalty.Message', source_field='message_id', primary_key=True, db_index=True, db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('customer', fields.ForeignKeyField('loyalty.Customer', source_field='customer_id', db_constraint=True, to_field='id', related_name=False, on_delete=OnDelete.RESTRICT)),
                ('closes_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('due_at', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'shown_card', 'app': 'loyalty', 'indexes': [Index(fields=['due_at'], name='shown_card_due'), Index(fields=['closes_at'], name='shown_card_closes')], 'pk_attr': 'message_id', 'table_description': 'A card that is open in a chat: its code changes there until `closes_at`, and finds its owner at a till.'},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='CustomerFacts',
            name='telegram',
            field=fields.BooleanField(db_default=False),
        ),
    ]
