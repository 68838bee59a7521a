"""What the base refuses about holds, referrals and keys, the lines of receipts, and the indexes of what is due."""

from loyalty import migrating
from tortoise.migrations import operations as ops

CHECKS = """
ALTER TABLE hold ADD CONSTRAINT hold_state
        CHECK (state IN ('asked', 'held', 'confirmed', 'voided', 'declined', 'lapsed')),
    ADD CONSTRAINT hold_amount CHECK (amount > 0 AND total > 0),
    ADD CONSTRAINT hold_receipt CHECK ((state = 'confirmed') = (receipt_id IS NOT NULL));
ALTER TABLE referral ADD CONSTRAINT referral_state CHECK (state IN ('waiting', 'due', 'paid', 'refused', 'undone')),
    ADD CONSTRAINT referral_of_another CHECK (invitee_id <> referrer_id),
    ADD CONSTRAINT referral_due CHECK ((state = 'due') = (due_at IS NOT NULL));
ALTER TABLE customer_facts ADD CONSTRAINT customer_facts_discount CHECK (discount_bp BETWEEN 0 AND 10000);
ALTER TABLE receipt ADD CONSTRAINT receipt_corrections CHECK (discount >= 0 AND forgiven >= 0 AND kept_back >= 0),
    ADD CONSTRAINT receipt_fiscal CHECK ((fiscal_fn IS NULL) = (fiscal_i IS NULL)
        AND (fiscal_fn IS NULL) = (fiscal_fp IS NULL));
"""

CHECKS_BACK = """
ALTER TABLE receipt DROP CONSTRAINT receipt_corrections, DROP CONSTRAINT receipt_fiscal;
ALTER TABLE customer_facts DROP CONSTRAINT customer_facts_discount;
ALTER TABLE referral DROP CONSTRAINT referral_state, DROP CONSTRAINT referral_of_another,
    DROP CONSTRAINT referral_due;
ALTER TABLE hold DROP CONSTRAINT hold_state, DROP CONSTRAINT hold_amount, DROP CONSTRAINT hold_receipt;
"""

# A receipt without lines is one line, and keeps none. A refund by line keeps the parts it took back.
# `refunded`: of a sale's line, what refunds by line took of `total` so far; refunds by sum do not touch it.
PARTS = """
CREATE TABLE receipt_line (
    receipt_id BIGINT NOT NULL REFERENCES receipt (id) ON DELETE RESTRICT,
    position SMALLINT NOT NULL,
    name VARCHAR(200) NOT NULL,
    sku VARCHAR(64) NOT NULL,
    category VARCHAR(64) NOT NULL,
    total BIGINT NOT NULL CHECK (total >= 0),
    discount BIGINT NOT NULL CHECK (discount >= 0),
    burnt BIGINT NOT NULL CHECK (burnt >= 0),
    earned BIGINT NOT NULL CHECK (earned >= 0),
    refunded BIGINT NOT NULL DEFAULT 0 CHECK (refunded BETWEEN 0 AND total),
    PRIMARY KEY (receipt_id, position)
);
CREATE TABLE hold_lot (
    hold_id BIGINT NOT NULL REFERENCES hold (id) ON DELETE RESTRICT,
    lot_id BIGINT NOT NULL REFERENCES bonus_lot (id) ON DELETE RESTRICT,
    amount BIGINT NOT NULL CHECK (amount > 0),
    PRIMARY KEY (hold_id, lot_id)
);
CREATE INDEX hold_lot_lot ON hold_lot (lot_id);
"""

# What is live or due is little; the past costs these indexes nothing.
INDEXES = """
CREATE INDEX hold_live ON hold (customer_id) WHERE state IN ('asked', 'held');
CREATE INDEX hold_lapsing ON hold (expires_at) WHERE state IN ('asked', 'held');
CREATE INDEX bonus_entry_by_hand ON bonus_entry (staff_id, business_date) WHERE kind = 'adjust';
CREATE INDEX referral_due ON referral (due_at) WHERE state = 'due';
CREATE INDEX referral_waiting ON referral (invitee_id) WHERE state = 'waiting';
CREATE INDEX referral_paid ON referral (receipt_id) WHERE state = 'paid';
CREATE INDEX customer_facts_birthday ON customer_facts (birthday_code) WHERE birthday_code <> 0;
CREATE INDEX customer_facts_tier_due ON customer_facts (tier_due_at) WHERE tier_due_at IS NOT NULL;
CREATE UNIQUE INDEX receipt_fiscal ON receipt (fiscal_fn, fiscal_i, fiscal_fp)
    WHERE kind = 'sale' AND fiscal_fn IS NOT NULL;
CREATE INDEX receipt_promo_code ON receipt (promo_code, customer_id) WHERE promo_code IS NOT NULL;
"""

INDEXES_BACK = """
DROP INDEX receipt_promo_code, receipt_fiscal, customer_facts_tier_due, customer_facts_birthday, referral_paid,
    referral_waiting, referral_due, bonus_entry_by_hand, hold_lapsing, hold_live;
"""

# Birthdays known before their date of arrival was kept count as known since their owner came.
# Tiers reached before they could fall are looked at once, like those reached from now on.
TIERS = "UPDATE customer_facts SET tier_due_at = now() WHERE tier_id <> 0"
BIRTHDAYS = "UPDATE customer SET birthday_set_at = created_at WHERE birthday IS NOT NULL"


class Migration(migrating.Migration):
    dependencies = [("loyalty", "0005_bonus_engine")]

    operations = [
        ops.RunSQL(CHECKS, CHECKS_BACK),
        ops.RunSQL(PARTS, "DROP TABLE hold_lot; DROP TABLE receipt_line"),
        ops.RunSQL(INDEXES, INDEXES_BACK),
        ops.RunSQL(BIRTHDAYS, "SELECT 1"),
        ops.RunSQL(TIERS, "SELECT 1"),
    ]
