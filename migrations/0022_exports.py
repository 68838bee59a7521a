"""A file of customers has a format and words in its asker's language, and is begun a few times at most."""

import functools
from json import dumps, loads

from tortoise import fields
from tortoise.migrations import operations as ops

from loyalty import migrating

FORMATS = """
ALTER TABLE file_export ADD CONSTRAINT file_export_format CHECK (format IN ('xlsx', 'csv'));
CREATE INDEX file_export_waiting ON file_export (id) WHERE state IN ('queued', 'running');
CREATE INDEX file_export_staff ON file_export (staff_id, id);
"""
FORMATS_BACK = """
DROP INDEX file_export_staff;
DROP INDEX file_export_waiting;
ALTER TABLE file_export DROP CONSTRAINT file_export_format;
"""


class Migration(migrating.Migration):
    """`file_export.format`, `.words`, `.attempts`."""

    dependencies = [("loyalty", "0021_campaigns_and_files")]

    initial = False

    operations = [
        ops.AddField(
            model_name='FileExport',
            name='attempts',
            field=fields.SmallIntField(db_default=0),
        ),
        ops.AddField(
            model_name='FileExport',
            name='format',
            field=fields.CharField(db_default='xlsx', max_length=4),
        ),
        ops.AddField(
            model_name='FileExport',
            name='words',
            field=fields.JSONField(null=True, encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads),
        ),
        ops.RunSQL(FORMATS, FORMATS_BACK),
    ]
