"""Tasks that are over are shown by when they were closed, the newest first."""

from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from loyalty import migrating


class Migration(migrating.Migration):
    """`task_closed_at`."""

    dependencies = [("loyalty", "0024_tasks_surveys_and_reports")]

    initial = False

    operations = [
        ops.AddIndex(
            model_name='Task',
            index=Index(fields=['closed_at', 'id'], name='task_closed_at'),
        ),
    ]
