"""Whoever keeps a copy of the appointments reads them in the order of their changes."""

from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from loyalty import migrating


class Migration(migrating.Migration):
    """`appointment_updated`."""

    dependencies = [("loyalty", "0015_client_base")]

    initial = False

    operations = [
        ops.AddIndex(
            model_name="Appointment",
            index=Index(fields=("updated_at", "id"), name="appointment_updated"),
        ),
    ]
