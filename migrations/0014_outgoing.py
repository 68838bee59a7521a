"""The queue of what goes out is read along one index, whatever the statistics know of it."""

from tortoise.migrations import operations as ops

from loyalty import migrating

# A condition more than that of message_queued: whoever asks for what is queued, in order, cannot be led along this one,
# by account, and sort all that waits. So it was while the statistics did not know of a new campaign.
PENDING = """
DROP INDEX message_pending;
CREATE INDEX message_pending ON message (account_id, priority, id)
    WHERE direction = 'out' AND status IN ('queued', 'delayed', 'leased', 'sending');
"""
PENDING_BACK = """
DROP INDEX message_pending;
CREATE INDEX message_pending ON message (account_id, priority, id)
    WHERE status IN ('queued', 'delayed', 'leased', 'sending');
"""


class Migration(migrating.Migration):
    """`message_pending` anew."""

    dependencies = [("loyalty", "0013_places")]

    initial = False

    operations = [ops.RunSQL(PENDING, PENDING_BACK)]
