"""Campaigns in several wordings, and which of them each person drew."""

import functools
from json import dumps, loads

from tortoise import fields
from tortoise.migrations import operations as ops

from loyalty import migrating

# A constant default rewrites no row.
VARIANT = """
ALTER TABLE recipient ADD COLUMN variant smallint NOT NULL DEFAULT 0;
ALTER TABLE recipient ADD CONSTRAINT recipient_variant CHECK (variant BETWEEN 0 AND 2);
"""
VARIANT_BACK = """
ALTER TABLE recipient DROP CONSTRAINT recipient_variant, DROP COLUMN variant;
"""


class Migration(migrating.Migration):
    """`campaign.other_texts`, `recipient.variant`."""

    dependencies = [("loyalty", "0026_automations")]

    initial = False

    operations = [
        ops.AddField(
            model_name='Campaign',
            name='other_texts',
            field=fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads),
        ),
        ops.RunSQL(VARIANT, VARIANT_BACK),
    ]
