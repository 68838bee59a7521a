"""Indexes of receipts and the journal by person hold the rows that name one: a till's sale is in none of them."""

from loyalty import migrating
from tortoise.migrations import operations as ops

INDEXES = """
CREATE INDEX receipt_original ON receipt (original_id) WHERE original_id IS NOT NULL;
CREATE INDEX receipt_shift ON receipt (staff_id, business_date) WHERE staff_id IS NOT NULL;
CREATE INDEX journal_entry_staff ON journal_entry (staff_id, id) WHERE staff_id IS NOT NULL;
"""
INDEXES_BACK = "DROP INDEX journal_entry_staff, receipt_shift, receipt_original"


class Migration(migrating.Migration):
    dependencies = [("loyalty", "0010_counter")]

    operations = [
        ops.RemoveIndex(model_name="JournalEntry", name="journal_entry_staff", fields=None),
        ops.RemoveIndex(model_name="Receipt", name="receipt_original", fields=None),
        ops.RemoveIndex(model_name="Receipt", name="receipt_shift", fields=None),
        ops.RunSQL(INDEXES, INDEXES_BACK),
    ]
