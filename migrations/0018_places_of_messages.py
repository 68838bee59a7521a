"""What was said by SMS and e-mail is found by the person, and accounts of erased people that are still written to."""

from loyalty import migrating
from tortoise.migrations import operations as ops

# Which messengers were somebody's stands in the journal. Phones and e-mails change hands unseen; messages of messengers,
# which are most of all, stay out of it and cost nothing more.
PLACES = """
CREATE INDEX message_places ON message (customer_id) WHERE channel IN ('sms', 'email');
CREATE INDEX messenger_account_erased ON messenger_account (id)
    WHERE customer_id IS NULL AND linked_at IS NOT NULL;
"""


class Migration(migrating.Migration):
    """`message_places`, `messenger_account_erased`."""

    dependencies = [("loyalty", "0017_appointments_by_change")]

    initial = False

    operations = [ops.RunSQL(PLACES, "DROP INDEX messenger_account_erased, message_places")]
