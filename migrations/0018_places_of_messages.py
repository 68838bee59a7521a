"""What was said to a person by SMS and e-mail is found by the person: those places change hands unseen."""

from loyalty import migrating
from tortoise.migrations import operations as ops

# Which messengers were somebody's stands in the journal. Of phones and e-mails nothing says so; messages of messengers,
# which are most of all, stay out of it and cost nothing more.
PLACES = "CREATE INDEX message_places ON message (customer_id) WHERE channel IN ('sms', 'email')"


class Migration(migrating.Migration):
    """`message_places`."""

    dependencies = [("loyalty", "0017_appointments_by_change")]

    initial = False

    operations = [ops.RunSQL(PLACES, "DROP INDEX message_places")]
