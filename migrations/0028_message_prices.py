"""What channels charge for a message, what a campaign found of it when it began, and how often a message is charged."""

import functools
from json import dumps, loads

from tortoise import fields
from tortoise.migrations import operations as ops

from loyalty import migrating

CHECKS = """
ALTER TABLE message_price
    ADD CONSTRAINT message_price_advertising CHECK (advertising BETWEEN 0 AND 1000000000),
    ADD CONSTRAINT message_price_service CHECK (service BETWEEN 0 AND 1000000000);
"""
CHECKS_BACK = """
ALTER TABLE message_price DROP CONSTRAINT message_price_service, DROP CONSTRAINT message_price_advertising;
"""


class Migration(migrating.Migration):
    """`message_price`, `message.units`, `campaign.prices`."""

    dependencies = [("loyalty", "0027_wordings")]

    initial = False

    operations = [
        ops.CreateModel(
            name='MessagePrice',
            fields=[
                ('channel', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=10)),
                ('advertising', fields.IntField(null=True)),
                ('service', fields.IntField(null=True)),
                ('updated_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'message_price', 'app': 'loyalty', 'pk_attr': 'channel', 'table_description': 'What one channel charges for a message, in hundredths of a minor unit: some cost less than a cent.'},
            bases=['Model'],
        ),
        ops.RunSQL(CHECKS, CHECKS_BACK),
        ops.AddField(
            model_name='Campaign',
            name='prices',
            field=fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads),
        ),
        ops.AddField(
            model_name='Message',
            name='units',
            field=fields.SmallIntField(null=True),
        ),
    ]
