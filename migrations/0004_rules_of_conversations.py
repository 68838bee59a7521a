"""What the base refuses about messages, the queues' indexes, used card codes, and the key of persons' hashes."""

from loyalty import migrating
from tortoise.migrations import operations as ops

CHECKS = """
ALTER TABLE messenger_account ADD CONSTRAINT messenger_account_channel CHECK (channel IN ('telegram')),
    ADD CONSTRAINT messenger_account_default CHECK (NOT is_default OR customer_id IS NOT NULL);
ALTER TABLE incoming_update ADD CONSTRAINT incoming_update_state CHECK (state IN ('new', 'done', 'ignored', 'failed'));
ALTER TABLE message ADD CONSTRAINT message_direction CHECK (direction IN ('in', 'out')),
    ADD CONSTRAINT message_status CHECK (status IN ('received', 'queued', 'leased', 'sending', 'sent', 'delivered',
        'read', 'failed', 'cancelled', 'unknown')),
    ADD CONSTRAINT message_status_by_direction CHECK ((direction = 'in') = (status = 'received')),
    ADD CONSTRAINT message_lease CHECK ((status IN ('leased', 'sending')) = (leased_until IS NOT NULL)),
    ADD CONSTRAINT message_due CHECK (status <> 'queued' OR due_at IS NOT NULL);
ALTER TABLE media ADD CONSTRAINT media_state CHECK (state IN ('wanted', 'stored', 'failed')),
    ADD CONSTRAINT media_body CHECK ((state = 'stored') = (body IS NOT NULL));
"""

CHECKS_BACK = """
ALTER TABLE media DROP CONSTRAINT media_state, DROP CONSTRAINT media_body;
ALTER TABLE message DROP CONSTRAINT message_direction, DROP CONSTRAINT message_status,
    DROP CONSTRAINT message_status_by_direction, DROP CONSTRAINT message_lease, DROP CONSTRAINT message_due;
ALTER TABLE incoming_update DROP CONSTRAINT incoming_update_state;
ALTER TABLE messenger_account DROP CONSTRAINT messenger_account_channel, DROP CONSTRAINT messenger_account_default;
"""

# The outbox is claimed by urgency and age; a chat's own queue tells whether something must leave before. Lapsed
# leases are few. One default account a person. Both queues are swept often, so that what is done does not lie in
# the way of what is due.
INDEXES = """
CREATE UNIQUE INDEX messenger_account_one_default ON messenger_account (customer_id) WHERE is_default;
CREATE INDEX message_queued ON message (priority, id) WHERE status = 'queued';
CREATE INDEX message_pending ON message (account_id, priority, id) WHERE status IN ('queued', 'leased', 'sending');
CREATE INDEX message_leased ON message (leased_until) WHERE status IN ('leased', 'sending');
ALTER TABLE message SET (fillfactor = 80, autovacuum_vacuum_scale_factor = 0.01,
    autovacuum_vacuum_insert_scale_factor = 0.05);
ALTER TABLE incoming_update SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_insert_scale_factor = 0.05);
"""

INDEXES_BACK = """
ALTER TABLE incoming_update RESET (autovacuum_vacuum_scale_factor, autovacuum_vacuum_insert_scale_factor);
ALTER TABLE message RESET (fillfactor, autovacuum_vacuum_scale_factor, autovacuum_vacuum_insert_scale_factor);
DROP INDEX message_leased, message_pending, message_queued, messenger_account_one_default;
"""

# A code of a card, named by its owner and its step of time, pays once.
CARD_CODES = """
CREATE TABLE card_code_use (
    customer_id BIGINT NOT NULL REFERENCES customer (id) ON DELETE RESTRICT,
    step BIGINT NOT NULL,
    receipt_id BIGINT NOT NULL REFERENCES receipt (id) ON DELETE RESTRICT,
    PRIMARY KEY (customer_id, step)
);
"""

# Once-only bonuses are kept under a keyed hash of the phone, which must still be the same when the person was
# erased and every secret of the environment changed: its key lives where the hashes live. 244 random bits.
PERSON_KEY = """
ALTER TABLE shop ADD COLUMN person_key BYTEA NOT NULL
    DEFAULT decode(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 'hex');
ALTER TABLE shop ALTER COLUMN person_key DROP DEFAULT;
"""


class Migration(migrating.Migration):
    dependencies = [("loyalty", "0003_conversations")]

    operations = [
        ops.RunSQL(CHECKS, CHECKS_BACK),
        ops.RunSQL(INDEXES, INDEXES_BACK),
        ops.RunSQL(CARD_CODES, "DROP TABLE card_code_use"),
        ops.RunSQL(PERSON_KEY, "ALTER TABLE shop DROP COLUMN person_key"),
    ]
