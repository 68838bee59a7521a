"""What the base itself refuses, the indexes the tool cannot express, pair tables, and the first rows."""

from loyalty import migrating
from tortoise.migrations import operations as ops

APPEND_ONLY = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER bonus_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bonus_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER bonus_allocation_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON bonus_allocation
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER journal_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON journal_entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
"""

APPEND_ONLY_BACK = """
DROP TRIGGER journal_entry_append_only ON journal_entry;
DROP TRIGGER bonus_allocation_append_only ON bonus_allocation;
DROP TRIGGER bonus_entry_append_only ON bonus_entry;
DROP FUNCTION refuse_change();
"""

CHECKS = """
ALTER TABLE shop ADD CONSTRAINT shop_is_one CHECK (id = 1),
    ADD CONSTRAINT shop_exponent CHECK (exponent IN (0, 2, 3));
ALTER TABLE staff_member ADD CONSTRAINT staff_member_email_lower CHECK (email = lower(email)),
    ADD CONSTRAINT staff_member_role CHECK (role IN ('owner', 'marketer', 'cashier', 'analyst', 'support'));
ALTER TABLE customer ADD CONSTRAINT customer_phone CHECK (phone ~ '^\\+[0-9]{7,15}$'),
    ADD CONSTRAINT customer_card_number CHECK (card_number ~ '^[0-9]{8}$'),
    ADD CONSTRAINT customer_gender CHECK (gender IN ('f', 'm'));
ALTER TABLE consent ADD CONSTRAINT consent_topic CHECK (topic IN ('terms', 'marketing', 'surveys'));
ALTER TABLE customer_facts ADD CONSTRAINT customer_facts_counts
    CHECK (debt >= 0 AND receipts >= 0 AND visits >= 0 AND birthday_code BETWEEN 0 AND 1231);
ALTER TABLE bonus_entry ADD CONSTRAINT bonus_entry_amount CHECK (amount <> 0),
    ADD CONSTRAINT bonus_entry_kind CHECK (kind IN
        ('earn', 'burn', 'expire', 'reverse_earn', 'restore_burn', 'adjust', 'grant', 'merge'));
ALTER TABLE bonus_lot ADD CONSTRAINT bonus_lot_remaining CHECK (remaining BETWEEN 0 AND amount AND amount > 0),
    ADD CONSTRAINT bonus_lot_dates CHECK (expires_at > activates_at);
ALTER TABLE bonus_allocation ADD CONSTRAINT bonus_allocation_amount CHECK (amount <> 0);
ALTER TABLE receipt ADD CONSTRAINT receipt_kind CHECK ((kind = 'sale') = (original_id IS NULL)),
    ADD CONSTRAINT receipt_sums CHECK (total > 0 AND paid >= 0 AND paid <= total AND burnt >= 0 AND earned >= 0
        AND refunded BETWEEN 0 AND total);
"""

CHECKS_BACK = """
ALTER TABLE receipt DROP CONSTRAINT receipt_kind, DROP CONSTRAINT receipt_sums;
ALTER TABLE bonus_allocation DROP CONSTRAINT bonus_allocation_amount;
ALTER TABLE bonus_lot DROP CONSTRAINT bonus_lot_remaining, DROP CONSTRAINT bonus_lot_dates;
ALTER TABLE bonus_entry DROP CONSTRAINT bonus_entry_amount, DROP CONSTRAINT bonus_entry_kind;
ALTER TABLE customer_facts DROP CONSTRAINT customer_facts_counts;
ALTER TABLE consent DROP CONSTRAINT consent_topic;
ALTER TABLE customer DROP CONSTRAINT customer_phone, DROP CONSTRAINT customer_card_number,
    DROP CONSTRAINT customer_gender;
ALTER TABLE staff_member DROP CONSTRAINT staff_member_email_lower, DROP CONSTRAINT staff_member_role;
ALTER TABLE shop DROP CONSTRAINT shop_is_one, DROP CONSTRAINT shop_exponent;
"""

PAIRS = """
CREATE TABLE customer_location (
    location_id INT NOT NULL REFERENCES location (id) ON DELETE RESTRICT,
    customer_id BIGINT NOT NULL REFERENCES customer (id) ON DELETE RESTRICT,
    visits INT NOT NULL CHECK (visits >= 0),
    last_visit_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (location_id, customer_id)
);
CREATE INDEX customer_location_customer ON customer_location (customer_id);
"""

# Search: trigrams for fragments of three characters and more, prefixes for less, reversed digits for the last
# four. Lots: only what can still be spent is indexed, so that a spent lot costs nothing.
# The facts row is rewritten by every receipt: room on its page keeps the new version beside the old one.
INDEXES = """
CREATE INDEX customer_name_trigrams ON customer USING gin (lower(name) gin_trgm_ops);
CREATE INDEX customer_name_prefix ON customer (lower(name) text_pattern_ops);
CREATE INDEX customer_name_order ON customer (lower(name), id);
CREATE INDEX customer_phone_trigrams ON customer USING gin (phone gin_trgm_ops);
CREATE INDEX customer_phone_reversed ON customer (reverse(phone) text_pattern_ops);
CREATE INDEX customer_card_number_prefix ON customer (card_number text_pattern_ops);
CREATE INDEX customer_email_prefix ON customer (lower(email) text_pattern_ops);
CREATE INDEX bonus_lot_open ON bonus_lot (customer_id) WHERE remaining > 0;
CREATE INDEX bonus_lot_expiring ON bonus_lot (expires_at) WHERE remaining > 0;
ALTER TABLE customer_facts SET (fillfactor = 70);
ALTER TABLE bonus_lot SET (fillfactor = 80);
CREATE SEQUENCE card_number_seq;
"""

INDEXES_BACK = """
DROP SEQUENCE card_number_seq;
ALTER TABLE bonus_lot RESET (fillfactor);
ALTER TABLE customer_facts RESET (fillfactor);
DROP INDEX bonus_lot_expiring, bonus_lot_open, customer_email_prefix, customer_card_number_prefix,
    customer_phone_reversed, customer_phone_trigrams, customer_name_order, customer_name_prefix,
    customer_name_trigrams;
"""

FIRST_ROWS = """
INSERT INTO shop (id, name, currency, exponent, region, language, time_zone)
VALUES (1, '', 'RUB', 2, 'RU', 'ru', 'Europe/Moscow');
INSERT INTO programme (effective_from, created_at, body) VALUES (TIMESTAMPTZ '2000-01-01 00:00+00', now(), '{
    "bonus_value": 100, "bonus_step": 100,
    "tiers": [{"id": 0, "name": "Base", "threshold": 0, "rate_bp": 500}], "tier_window_days": 365,
    "activation_delay_days": 0, "lifetime_months": 12,
    "welcome_bonus": 20000, "welcome_lifetime_days": 30,
    "burn_share_bp": 3000, "min_cash": 100, "burn_cap_receipt": 0, "burn_cap_day": 0, "refund_grace_days": 14
}');
"""


class Migration(migrating.Migration):
    dependencies = [("loyalty", "0001_initial")]

    operations = [
        ops.RunSQL("CREATE EXTENSION IF NOT EXISTS pg_trgm", "SELECT 1"),
        ops.RunSQL(APPEND_ONLY, APPEND_ONLY_BACK),
        ops.RunSQL(CHECKS, CHECKS_BACK),
        ops.RunSQL(PAIRS, "DROP TABLE customer_location"),
        ops.RunSQL(INDEXES, INDEXES_BACK),
        ops.RunSQL(FIRST_ROWS, "DELETE FROM programme; DELETE FROM shop"),
    ]
