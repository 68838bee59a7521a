"""Bonuses that moved by themselves are found by the person and the time: a timeline tells them beside the receipts."""

from loyalty import migrating
from tortoise.migrations import operations as ops

# What a receipt moved, which is most of the ledger, is told with the receipt, stays out of it and costs nothing more.
BY_THEMSELVES = "CREATE INDEX bonus_entry_by_itself ON bonus_entry (customer_id, at) WHERE receipt_id IS NULL"


class Migration(migrating.Migration):
    """`bonus_entry_by_itself`."""

    dependencies = [("loyalty", "0018_places_of_messages")]

    initial = False

    operations = [ops.RunSQL(BY_THEMSELVES, "DROP INDEX bonus_entry_by_itself")]
