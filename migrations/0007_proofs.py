"""What the last looks at the books found: the panel shows it."""

import functools
from json import dumps, loads

from loyalty import migrating
from tortoise import fields
from tortoise.migrations import operations as ops


class Migration(migrating.Migration):
    dependencies = [('loyalty', '0006_rules_of_the_bonus_engine')]

    initial = False

    operations = [
        ops.CreateModel(
            name='Proof',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('seconds', fields.IntField()),
                ('customers', fields.BigIntField()),
                ('entries', fields.BigIntField()),
                ('lots', fields.BigIntField()),
                ('receipts', fields.BigIntField()),
                ('differences', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('unshown', fields.IntField()),
            ],
            options={'table': 'proof', 'app': 'loyalty', 'pk_attr': 'id', 'table_description': 'The outcome of one look at the books. `differences`: those told one by one; `unshown`: how many more.'},
            bases=['Model'],
        ),
    ]
