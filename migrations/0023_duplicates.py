"""Cards that may be one person's are looked for at night in a large base, and what was found is kept."""

import functools
from json import dumps, loads

from tortoise import fields
from tortoise.migrations import operations as ops

from loyalty import migrating


class Migration(migrating.Migration):
    """`duplicate_look`."""

    dependencies = [("loyalty", "0022_exports")]

    initial = False

    operations = [
        ops.CreateModel(
            name='DuplicateLook',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('pairs', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
            ],
            options={'table': 'duplicate_look', 'app': 'loyalty', 'pk_attr': 'id', 'table_description': "What the last night found in a large base: cards that may be one person's. pairs: by what, and their ids."},
            bases=['Model'],
        ),
    ]
