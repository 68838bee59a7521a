"""The proof of the books: everything cached is computed again from the entries and receipts, and compared."""

from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.bookings.queries.served import SERVED
from loyalty.conversations.channels import CAPABILITIES, EMAIL, SMS
from loyalty.receipts.queries.visits import YEAR_DAYS, frequency, visits

SHOWN = 20
"""Of each check, so many differences are told one by one."""
PATIENCE_SECONDS = 1800
"""So long one check may take."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One number that is not what the ledger says. `id` is of the thing that the check is about.

    customer_id: whose it is; None for what is nobody's.
    """

    check: str
    id: int
    expected: int
    found: int
    customer_id: int | None = None

    def describe(self) -> str:
        """One line for people."""
        is_told = self.customer_id is None or "customer" in self.check
        whose = "" if is_told else f" (customer {self.customer_id})"
        return f"{self.check} {self.id}{whose}: expected {self.expected}, found {self.found}"


@dataclass(frozen=True, slots=True)
class Proof:
    """What was looked at and what did not agree. `unshown`: differences beyond SHOWN a check."""

    customers: int
    entries: int
    lots: int
    receipts: int
    differences: list[Difference]
    unshown: int


# The last year as the facts state it: from their first day in it on, and no later than the calendar's year begins, a
# day more or less, because days begin elsewhere earlier.
LAST_YEAR = f"""
    SELECT f.customer_id AS id, part.expected, part.found FROM (
        SELECT f.customer_id, f.year_days, f.year_first_on, f.year_last_on, f.frequency,
            count(DISTINCT day)::int AS days, min(day) AS first, max(day) AS last
        FROM customer_facts f LEFT JOIN ({visits()}) visit ON visit.customer_id = f.customer_id
            AND day > least(CASE WHEN f.year_days > 0 THEN f.year_first_on - 1 END, $1::date - {YEAR_DAYS - 1})
        GROUP BY f.customer_id) f
    CROSS JOIN LATERAL (VALUES (days, year_days),
        (coalesce(first - DATE '1970-01-01', 0), year_first_on - DATE '1970-01-01'),
        (coalesce(last - DATE '1970-01-01', 0), year_last_on - DATE '1970-01-01'),
        ({frequency("days", "first", "last")}, f.frequency)) part (expected, found)
    WHERE part.expected <> part.found
"""

OWNED = """(SELECT entry.*, coalesce(card.merged_into_id, card.id) AS owner_id
    FROM bonus_entry entry JOIN customer card ON card.id = entry.customer_id) e"""
"""SQL: the entries with whose they are by now: those of a card that became another one count for that one."""

# Each check yields (id, customer_id, expected, found) for what does not agree; without a customer_id it is about
# customers, or about nobody's things. Full scans, each joined by hashing: a million
# customers take a minute, and nobody waits for it but the night.
CHECKS = {
    "balance of customer": """
        SELECT f.customer_id AS id, coalesce(e.total, 0) AS expected, f.balance AS found
        FROM customer_facts f LEFT JOIN (SELECT customer_id, sum(amount)::bigint AS total FROM bonus_entry
            GROUP BY 1) e USING (customer_id)
        WHERE coalesce(e.total, 0) <> f.balance""",
    "whether customer is hidden": """
        SELECT c.id, (c.deleted_at IS NOT NULL OR c.merged_into_id IS NOT NULL OR c.erased_at IS NOT NULL)::int
            AS expected, f.is_hidden::int AS found
        FROM customer c JOIN customer_facts f ON f.customer_id = c.id
        WHERE f.is_hidden <> (c.deleted_at IS NOT NULL OR c.merged_into_id IS NOT NULL OR c.erased_at IS NOT NULL)""",
    "debt of customer": """
        SELECT f.customer_id AS id, coalesce(l.total, 0) - f.balance AS expected, f.debt AS found
        FROM customer_facts f LEFT JOIN (SELECT customer_id, sum(remaining)::bigint AS total FROM bonus_lot
            GROUP BY 1) l USING (customer_id)
        WHERE coalesce(l.total, 0) - f.balance <> f.debt""",
    "balance after entry": """
        SELECT id, customer_id, expected, balance_after AS found FROM (
            SELECT id, customer_id, balance_after,
                (sum(amount) OVER (PARTITION BY customer_id ORDER BY id))::bigint AS expected
            FROM bonus_entry) chain
        WHERE expected <> balance_after""",
    "remaining in lot": """
        SELECT l.id, l.customer_id, l.amount - coalesce(a.total, 0) AS expected, l.remaining AS found
        FROM bonus_lot l LEFT JOIN (SELECT lot_id, sum(amount)::bigint AS total FROM bonus_allocation
            GROUP BY 1) a ON a.lot_id = l.id
        WHERE l.amount - coalesce(a.total, 0) <> l.remaining""",
    "lots of credit": """
        SELECT e.id, e.customer_id, e.amount AS expected, coalesce(l.total, 0) - coalesce(a.total, 0) AS found
        FROM bonus_entry e
            LEFT JOIN (SELECT entry_id, sum(amount)::bigint AS total FROM bonus_lot GROUP BY 1) l ON l.entry_id = e.id
            LEFT JOIN (SELECT entry_id, sum(amount)::bigint AS total FROM bonus_allocation WHERE amount < 0
                GROUP BY 1) a ON a.entry_id = e.id
        WHERE e.amount > 0 AND e.amount <> coalesce(l.total, 0) - coalesce(a.total, 0)""",
    "lots of debit": """
        SELECT e.id, e.customer_id, -e.amount AS expected, coalesce(a.total, 0) AS found
        FROM bonus_entry e
            LEFT JOIN (SELECT entry_id, sum(amount)::bigint AS total FROM bonus_allocation GROUP BY 1) a
                ON a.entry_id = e.id
        WHERE e.amount < 0 AND (coalesce(a.total, 0) > -e.amount
            OR coalesce(a.total, 0) < -e.amount AND e.kind NOT IN ('reverse_earn', 'merge'))""",
    "owner of lot": """
        SELECT l.id, l.customer_id, e.customer_id AS expected, l.customer_id AS found
        FROM bonus_lot l JOIN bonus_entry e ON e.id = l.entry_id WHERE e.customer_id <> l.customer_id""",
    "earned by customer": f"""
        SELECT f.customer_id AS id, coalesce(e.total, 0) AS expected, f.earned AS found
        FROM customer_facts f LEFT JOIN (SELECT owner_id AS customer_id, sum(amount)::bigint AS total FROM {OWNED}
            WHERE kind IN ('earn', 'grant', 'reverse_earn') OR kind = 'adjust' AND amount > 0
            GROUP BY 1) e USING (customer_id)
        WHERE coalesce(e.total, 0) <> f.earned""",
    "burnt by customer": f"""
        SELECT f.customer_id AS id, coalesce(-e.total, 0) AS expected, f.burnt AS found
        FROM customer_facts f LEFT JOIN (SELECT owner_id AS customer_id, sum(amount)::bigint AS total FROM {OWNED}
            WHERE kind IN ('burn', 'restore_burn') OR kind = 'adjust' AND amount < 0
            GROUP BY 1) e USING (customer_id)
        WHERE coalesce(-e.total, 0) <> f.burnt""",
    "expired of customer": f"""
        SELECT f.customer_id AS id, coalesce(-e.total, 0) AS expected, f.expired AS found
        FROM customer_facts f LEFT JOIN (SELECT owner_id AS customer_id, sum(amount)::bigint AS total FROM {OWNED}
            WHERE kind = 'expire' GROUP BY 1) e USING (customer_id)
        WHERE coalesce(-e.total, 0) <> f.expired""",
    "burnt on receipt": """
        SELECT r.id, r.customer_id, r.burnt AS expected, coalesce(abs(e.total), 0) AS found
        FROM receipt r LEFT JOIN (SELECT receipt_id, sum(amount)::bigint AS total FROM bonus_entry
            WHERE kind IN ('burn', 'restore_burn') GROUP BY 1) e ON e.receipt_id = r.id
        WHERE r.burnt <> coalesce(abs(e.total), 0)""",
    "earned on receipt": """
        SELECT r.id, r.customer_id, r.earned AS expected, coalesce(abs(e.total), 0) AS found
        FROM receipt r LEFT JOIN (SELECT receipt_id, sum(amount)::bigint AS total FROM bonus_entry
            WHERE kind IN ('earn', 'reverse_earn') GROUP BY 1) e ON e.receipt_id = r.id
        WHERE r.earned <> coalesce(abs(e.total), 0)""",
    "refunded of receipt": """
        SELECT r.id, r.customer_id, coalesce(b.total, 0) AS expected, r.refunded AS found
        FROM receipt r LEFT JOIN (SELECT original_id, sum(total)::bigint AS total FROM receipt
            WHERE original_id IS NOT NULL GROUP BY 1) b ON b.original_id = r.id
        WHERE r.kind = 'sale' AND coalesce(b.total, 0) <> r.refunded""",
    "sold to customer": """
        SELECT f.customer_id AS id, coalesce(r.total, 0) AS expected, f.sold AS found
        FROM customer_facts f LEFT JOIN (SELECT customer_id,
            sum(CASE kind WHEN 'sale' THEN total ELSE -total END)::bigint AS total FROM receipt
            GROUP BY 1) r USING (customer_id)
        WHERE coalesce(r.total, 0) <> f.sold""",
    "paid by customer": """
        SELECT f.customer_id AS id, coalesce(r.total, 0) AS expected, f.paid AS found
        FROM customer_facts f LEFT JOIN (SELECT customer_id,
            sum(CASE kind WHEN 'sale' THEN paid ELSE -paid END)::bigint AS total FROM receipt
            GROUP BY 1) r USING (customer_id)
        WHERE coalesce(r.total, 0) <> f.paid""",
    "receipts of customer": """
        SELECT f.customer_id AS id, coalesce(r.total, 0) AS expected, f.receipts AS found
        FROM customer_facts f LEFT JOIN (SELECT customer_id, count(*) AS total FROM receipt
            WHERE kind = 'sale' AND refunded < total GROUP BY 1) r USING (customer_id)
        WHERE coalesce(r.total, 0) <> f.receipts""",
    "visits of customer": f"""
        SELECT f.customer_id AS id, coalesce(v.total, 0) AS expected, f.visits AS found
        FROM customer_facts f LEFT JOIN (SELECT customer_id, count(DISTINCT (location_id, day)) AS total
            FROM ({visits()}) visit GROUP BY 1) v USING (customer_id)
        WHERE coalesce(v.total, 0) <> f.visits""",
    "visits of customer to a location": f"""
        SELECT customer_id AS id, coalesce(v.total, 0) AS expected, coalesce(p.visits, 0) AS found
        FROM (SELECT customer_id, location_id, count(DISTINCT day) AS total FROM ({visits()}) visit GROUP BY 1, 2) v
            FULL JOIN customer_location p USING (customer_id, location_id)
        WHERE coalesce(v.total, 0) <> coalesce(p.visits, 0)""",
    "last visit of customer to a location (epoch)": f"""
        SELECT customer_id AS id, extract(epoch FROM v.last)::bigint AS expected,
            extract(epoch FROM p.last_visit_at)::bigint AS found
        FROM (SELECT customer_id, location_id, max(at) AS last FROM ({visits()}) visit GROUP BY 1, 2) v
            JOIN customer_location p USING (customer_id, location_id)
        WHERE v.last <> p.last_visit_at""",
    "locations of customer": f"""
        SELECT f.customer_id AS id, coalesce(v.total, 0) AS expected, f.locations AS found
        FROM customer_facts f LEFT JOIN (SELECT customer_id, count(DISTINCT location_id) AS total
            FROM ({visits()}) visit GROUP BY 1) v USING (customer_id)
        WHERE coalesce(v.total, 0) <> f.locations""",
    "last visit of customer (epoch)": f"""
        SELECT f.customer_id AS id, coalesce(extract(epoch FROM v.last), 0)::bigint AS expected,
            extract(epoch FROM f.last_visit_at)::bigint AS found
        FROM customer_facts f LEFT JOIN (SELECT customer_id, max(at) AS last FROM ({visits()}) visit
            GROUP BY 1) v USING (customer_id)
        WHERE coalesce(v.last, '1970-01-01+00') <> f.last_visit_at""",
    "first visit of customer (epoch)": f"""
        SELECT f.customer_id AS id, coalesce(extract(epoch FROM v.first), 0)::bigint AS expected,
            extract(epoch FROM f.first_visit_at)::bigint AS found
        FROM customer_facts f LEFT JOIN (SELECT customer_id, min(at) AS first FROM ({visits()}) visit
            GROUP BY 1) v USING (customer_id)
        WHERE coalesce(v.first, '1970-01-01+00') <> f.first_visit_at""",
    "last year of customer: days, the first, the last, frequency": LAST_YEAR,
    "last year of customer behind the calendar": f"""
        SELECT customer_id AS id, 0 AS expected, $1::date - {YEAR_DAYS} - year_first_on + 1 AS found
        FROM customer_facts WHERE year_days > 0 AND year_first_on < $1::date - {YEAR_DAYS} - 1""",
    "tips of customer": """
        SELECT f.customer_id AS id, coalesce(a.total, 0) AS expected, f.tips AS found
        FROM customer_facts f LEFT JOIN (SELECT customer_id, sum(tips)::bigint AS total FROM appointment
            WHERE state = 'came' GROUP BY 1) a USING (customer_id)
        WHERE coalesce(a.total, 0) <> f.tips""",
    # One that has passed within a day may wait for its sweep.
    "next booking of customer (epoch)": """
        SELECT f.customer_id AS id, coalesce(extract(epoch FROM a.next), 0)::bigint AS expected,
            extract(epoch FROM f.next_booking_at)::bigint AS found
        FROM customer_facts f LEFT JOIN (SELECT customer_id, min(starts_at) AS next FROM appointment
            WHERE state = 'planned' AND starts_at > $1 GROUP BY 1) a USING (customer_id)
        WHERE coalesce(a.next, '1970-01-01+00') <> f.next_booking_at
            AND NOT f.next_booking_at BETWEEN $1::timestamptz - INTERVAL '1 day' AND $1""",
    **{
        f"visits of customer with a {name.replace('_', ' ')}": f"""
        SELECT customer_id AS id, part.expected, part.found
        FROM (SELECT customer_id, {name}_id, count(*) AS total, max(at) AS last
            FROM ({served()}) served GROUP BY 1, 2) a
            FULL JOIN customer_{name} p USING (customer_id, {name}_id)
            CROSS JOIN LATERAL (VALUES (coalesce(a.total, 0), coalesce(p.visits, 0)),
                (extract(epoch FROM a.last)::bigint, extract(epoch FROM p.last_visit_at)::bigint)
            ) part (expected, found)
        WHERE part.expected <> part.found"""
        for name, served in SERVED.items()
    },
    "tier of customer": """
        SELECT f.customer_id AS id, coalesce(t.tier_id, 0) AS expected, f.tier_id AS found
        FROM customer_facts f LEFT JOIN (SELECT DISTINCT ON (customer_id) customer_id, tier_id FROM tier_change
            ORDER BY customer_id, id DESC) t USING (customer_id)
        WHERE coalesce(t.tier_id, 0) <> f.tier_id""",
    "facts of customer": """
        SELECT c.id, 1 AS expected, 0 AS found
        FROM customer c LEFT JOIN customer_facts f ON f.customer_id = c.id WHERE f.customer_id IS NULL""",
    **{
        f"reach of customer by {channel}": f"""
        SELECT f.customer_id AS id, (a.customer_id IS NOT NULL)::int AS expected, f.{channel}::int AS found
        FROM customer_facts f LEFT JOIN (SELECT DISTINCT customer_id FROM messenger_account
            WHERE channel = '{channel}' AND is_active AND customer_id IS NOT NULL) a USING (customer_id)
        WHERE (a.customer_id IS NOT NULL) <> f.{channel}"""
        for channel in CAPABILITIES
    },
    **{
        f"{field} of customer as {channel}": f"""
        SELECT coalesce(c.id, a.customer_id) AS id, (c.{field} IS NOT NULL)::int AS expected,
            (a.customer_id IS NOT NULL)::int AS found
        FROM (SELECT id, {field} FROM customer WHERE {field} IS NOT NULL) c
            FULL JOIN (SELECT customer_id, address FROM messenger_account
                WHERE channel = '{channel}' AND customer_id IS NOT NULL) a
            ON a.customer_id = c.id AND a.address = c.{field}
        WHERE c.id IS NULL OR a.customer_id IS NULL"""
        for field, channel in (("phone", SMS), ("email", EMAIL))
    },
    "default account of customer": """
        SELECT customer_id AS id, 1 AS expected, count(*) FILTER (WHERE is_default) AS found
        FROM messenger_account WHERE customer_id IS NOT NULL AND channel NOT IN ('sms', 'email')
        GROUP BY 1 HAVING count(*) FILTER (WHERE is_default) <> 1""",
    # A use that names another person, or a receipt that no code paid for, has no partner here.
    "code of burn": """
        SELECT id, customer_id, coalesce(r.expected, 0) AS expected, coalesce(u.found, 0) AS found
        FROM (SELECT id, customer_id, 1 AS expected FROM receipt WHERE presence = 'code') r
            FULL JOIN (SELECT receipt_id AS id, coalesce(merged_into_id, customer_id) AS customer_id,
                count(*) AS found FROM card_code_use JOIN customer c ON c.id = customer_id
                GROUP BY 1, 2) u USING (id, customer_id)
        WHERE coalesce(r.expected, 0) <> coalesce(u.found, 0)""",
    # Only news of a purchase: what else was said stays its person's when the account becomes somebody else's.
    "owner of message": """
        SELECT m.id, r.customer_id, r.customer_id AS expected, m.customer_id AS found
        FROM message m JOIN receipt r
            ON r.id = substring(m.dedupe_key FROM '^(?:receipt|refund):([0-9]{1,18})$')::bigint
        WHERE m.customer_id <> r.customer_id""",
    # Phones and e-mails only read: there is no chat to be in.
    "chat of account with messages": """
        SELECT m.account_id AS id, 1 AS expected, 0 AS found
        FROM (SELECT DISTINCT account_id FROM message WHERE channel NOT IN ('sms', 'email')) m
            LEFT JOIN conversation c USING (account_id)
        WHERE c.account_id IS NULL""",
    # A tier above the first that nobody looks at again would never fall.
    "review of tier of customer": """
        SELECT customer_id AS id, 1 AS expected, 0 AS found FROM customer_facts
        WHERE tier_id <> 0 AND tier_due_at IS NULL""",
    "gifts of referral": f"""
        SELECT r.invitee_id AS id, r.referrer_id AS customer_id, 1 AS expected, 0 AS found
        FROM referral r LEFT JOIN {OWNED} ON e.id = r.entry_id
            LEFT JOIN {OWNED.removesuffix(" e")} i ON i.id = r.invitee_entry_id
        WHERE e.customer_id IS NOT NULL AND NOT r.referrer_id IN (e.owner_id, e.customer_id)
            OR i.customer_id IS NOT NULL AND NOT r.invitee_id IN (i.owner_id, i.customer_id)
            OR (r.entry_id IS NOT NULL OR r.invitee_entry_id IS NOT NULL) AND r.state NOT IN ('paid', 'undone')""",
    "lines of receipt": """
        SELECT r.id, r.customer_id, r.total + r.burnt + r.earned AS expected, l.total AS found
        FROM receipt r JOIN (SELECT receipt_id, sum(total + burnt + earned)::bigint AS total FROM receipt_line
            GROUP BY 1) l ON l.receipt_id = r.id
        WHERE r.kind = 'sale' AND r.total + r.burnt + r.earned <> l.total""",
    "refunded of line of receipt": """
        SELECT l.receipt_id AS id, r.customer_id, coalesce(b.total, 0) AS expected, l.refunded AS found
        FROM receipt_line l JOIN receipt r ON r.id = l.receipt_id AND r.kind = 'sale'
            LEFT JOIN (SELECT original_id, position, sum(part.total)::bigint AS total
                FROM receipt JOIN receipt_line part ON part.receipt_id = receipt.id WHERE original_id IS NOT NULL
                GROUP BY 1, 2) b ON b.original_id = l.receipt_id AND b.position = l.position
        WHERE coalesce(b.total, 0) <> l.refunded""",
    # Receipts of before the programme's number was kept have awards that were not divided exactly.
    "awards of receipt": """
        SELECT id, customer_id, earned AS expected, coalesce(given, 0) AS found FROM receipt,
            LATERAL (SELECT sum((award->>'bonuses')::bigint)::bigint AS given FROM jsonb_array_elements(awards) award) a
        WHERE kind = 'sale' AND programme_id IS NOT NULL AND earned <> coalesce(given, 0)""",
    "receipt of claim": """
        SELECT c.id, c.customer_id, c.receipt_id AS expected, 0 AS found
        FROM fiscal_claim c JOIN receipt r ON r.id = c.receipt_id
        WHERE r.customer_id <> c.customer_id OR r.kind <> 'sale'
            OR (r.fiscal_fn, r.fiscal_i, r.fiscal_fp) IS DISTINCT FROM (c.fn, c.i, c.fp)""",
    # What came out of a claim has its claim.
    "claim of receipt": """
        SELECT r.id, r.customer_id, 1 AS expected, 0 AS found
        FROM receipt r LEFT JOIN fiscal_claim c ON c.fn = r.fiscal_fn AND c.i = r.fiscal_i AND c.fp = r.fiscal_fp
            AND c.receipt_id = r.id
        WHERE r.source = 'chat' AND r.kind = 'sale' AND c.id IS NULL""",
    "held of lot": """
        SELECT l.id, l.customer_id, l.remaining AS expected, h.total AS found
        FROM bonus_lot l JOIN (SELECT lot_id, sum(part.amount)::bigint AS total FROM hold
            JOIN hold_lot part ON part.hold_id = hold.id
            WHERE hold.state = 'held' AND hold.expires_at > $1 GROUP BY 1) h ON h.lot_id = l.id
        WHERE h.total > l.remaining""",
    "amount of hold": """
        SELECT h.id, h.customer_id, h.amount AS expected, coalesce(p.total, 0) AS found
        FROM hold h LEFT JOIN (SELECT hold_id, sum(amount)::bigint AS total FROM hold_lot GROUP BY 1) p
            ON p.hold_id = h.id
        WHERE h.state IN ('held', 'confirmed') AND h.amount <> coalesce(p.total, 0)""",
    "burn of hold": """
        SELECT h.id, h.customer_id, h.amount AS expected, r.burnt AS found
        FROM hold h JOIN receipt r ON r.id = h.receipt_id
        WHERE r.burnt > h.amount OR r.customer_id <> h.customer_id""",
    "receipt of waiting sale": """
        SELECT w.id, r.customer_id, w.total AS expected, r.total + r.discount AS found
        FROM waiting_sale w JOIN receipt r ON r.id = w.receipt_id
        WHERE r.total + r.discount <> w.total OR r.kind <> 'sale' OR r.source <> 'till'
            OR r.location_id <> w.location_id OR r.external_id <> w.external_id""",
    "newest score of customer": """
        SELECT f.customer_id AS id, coalesce(a.score, -1) AS expected, f.nps AS found
        FROM customer_facts f LEFT JOIN (SELECT DISTINCT ON (customer_id) customer_id, score, answered_at
            FROM survey_answer ORDER BY customer_id, answered_at DESC, invitation_id DESC) a USING (customer_id)
        WHERE coalesce(a.score, -1) <> f.nps""",
    "time of newest score of customer (epoch)": """
        SELECT f.customer_id AS id, coalesce(extract(epoch FROM a.at), 0)::bigint AS expected,
            extract(epoch FROM f.nps_at)::bigint AS found
        FROM customer_facts f LEFT JOIN (SELECT customer_id, max(answered_at) AS at FROM survey_answer
            GROUP BY 1) a USING (customer_id)
        WHERE coalesce(a.at, '1970-01-01+00') <> f.nps_at""",
    "message of survey": """
        SELECT i.id, i.customer_id, 1 AS expected, 0 AS found
        FROM survey_invitation i LEFT JOIN message m ON m.id = i.message_id AND m.kind = 'survey_asked'
        WHERE i.state IN ('asked', 'answered') AND (m.id IS NULL OR i.asked_at IS NULL)""",
    "answer of survey": """
        SELECT i.id, i.customer_id, (i.state = 'answered')::int AS expected, (a.invitation_id IS NOT NULL)::int AS found
        FROM survey_invitation i LEFT JOIN survey_answer a ON a.invitation_id = i.id
        WHERE (i.state = 'answered') <> (a.invitation_id IS NOT NULL)
            OR a.customer_id <> i.customer_id""",
    "people of survey run": """
        SELECT r.id, count(i.id) AS expected, r.total AS found
        FROM survey_run r LEFT JOIN survey_invitation i ON i.run_id = r.id
        GROUP BY r.id HAVING count(i.id) <> r.total""",
    "audience of campaign": """
        SELECT c.id, count(r.customer_id) AS expected, c.total AS found
        FROM campaign c LEFT JOIN recipient r ON r.campaign_id = c.id
        GROUP BY c.id HAVING count(r.customer_id) <> c.total""",
    "left out of campaign": """
        SELECT c.id, count(r.customer_id) AS expected, c.skipped AS found
        FROM campaign c LEFT JOIN recipient r ON r.campaign_id = c.id AND r.state = 'skipped'
        GROUP BY c.id HAVING count(r.customer_id) <> c.skipped""",
    # A message that failed and went to another account is followed there.
    "message of recipient": """
        SELECT r.campaign_id AS id, r.customer_id, 1 AS expected, 0 AS found
        FROM recipient r LEFT JOIN message m ON m.id = r.message_id
        WHERE r.state IN ('queued', 'due', 'done')
            AND (m.id IS NULL OR m.kind <> 'bulk' OR m.account_id <> r.account_id)""",
    # Of an erased campaign nobody knows the wordings any more.
    "wording of recipient": """
        SELECT r.campaign_id AS id, r.customer_id, least(r.variant, told.most) AS expected, r.variant AS found
        FROM recipient r JOIN campaign c ON c.id = r.campaign_id CROSS JOIN LATERAL (SELECT CASE
            WHEN r.state = 'control' THEN 0 ELSE jsonb_array_length(coalesce(c.other_texts, '[]')) END AS most) told
        WHERE r.variant > told.most AND c.texts <> '{}'""",
    # Each person of a campaign with bonuses to whom it was sent has its entry, by any card that is theirs; nobody else
    # has. Whoever was erased before it was given has none; what arrived late is found within a day.
    "bonus of recipient": """
        SELECT coalesce(r.campaign_id, e.campaign_id) AS id, coalesce(r.customer_id, e.recipient_id) AS customer_id,
            coalesce(r.bonus, 0) AS expected, coalesce(e.amount, 0) AS found
        FROM (SELECT r.campaign_id, r.customer_id, c.bonus, r.state = 'done'
                    AND m.status IN ('sent', 'delivered', 'read', 'unknown')
                    AND coalesce(m.delivered_at, m.sent_at, m.created_at) < $1::timestamptz - INTERVAL '1 day'
                    AS is_sent
                FROM campaign c JOIN recipient r ON r.campaign_id = c.id AND r.state IN ('queued', 'due', 'done')
                    JOIN message m ON m.id = r.message_id
                WHERE c.bonus > 0) r
            FULL JOIN (SELECT split_part(operation_id, ':', 2)::int AS campaign_id,
                    split_part(operation_id, ':', 3)::bigint AS recipient_id, amount
                FROM bonus_entry WHERE kind = 'grant' AND event = 'campaign') e
            ON e.campaign_id = r.campaign_id AND e.recipient_id = r.customer_id
        WHERE r.customer_id IS NULL OR e.amount <> r.bonus OR e.amount IS NULL AND r.is_sent
            AND NOT EXISTS (SELECT FROM customer c JOIN customer card ON card.id = c.merged_into_id
                    OR card.merged_into_id IN (c.id, c.merged_into_id)
                JOIN bonus_entry other ON other.operation_id = 'campaign:' || r.campaign_id || ':' || card.id
                WHERE c.id = r.customer_id)
            AND NOT EXISTS (SELECT FROM customer c WHERE c.id = r.customer_id AND c.erased_at IS NOT NULL)""",
    # What a step has done stands under the name of its run and its place.
    "message of automation": """
        SELECT r.id, r.customer_id, 1 AS expected, 0 AS found
        FROM automation_run r CROSS JOIN jsonb_array_elements(r.outcomes) told
            LEFT JOIN message m ON m.dedupe_key = 'automation:' || r.id || ':' || (told->>'step')
        WHERE told->>'kind' = 'message' AND told->>'outcome' = 'done' AND (m.id IS NULL OR m.kind <> 'bulk')""",
    "bonus of automation": """
        SELECT coalesce(r.id, e.run_id) AS id, coalesce(r.customer_id, e.customer_id) AS customer_id,
            (r.id IS NOT NULL)::int AS expected, (e.run_id IS NOT NULL)::int AS found
        FROM (SELECT r.id, r.customer_id, told->>'step' AS step
                FROM automation_run r CROSS JOIN jsonb_array_elements(r.outcomes) told
                WHERE told->>'kind' = 'bonus' AND told->>'outcome' = 'done') r
            FULL JOIN (SELECT customer_id, split_part(operation_id, ':', 2)::bigint AS run_id,
                    split_part(operation_id, ':', 3) AS step
                FROM bonus_entry WHERE kind = 'grant' AND event = 'automation') e
            ON e.run_id = r.id AND e.step = r.step
        WHERE r.id IS NULL OR e.run_id IS NULL""",
    "lot expired and not swept for a day": """
        SELECT id, customer_id, 0 AS expected, remaining AS found FROM bonus_lot
        WHERE remaining > 0 AND expires_at < $1::timestamptz - INTERVAL '1 day'""",
}

SIZES = """
    SELECT (SELECT count(*) FROM customer) AS customers, (SELECT count(*) FROM bonus_entry) AS entries,
        (SELECT count(*) FROM bonus_lot) AS lots, (SELECT count(*) FROM receipt) AS receipts
"""


async def verify(*, now: datetime) -> Proof:
    """Prove the books at `now`, in one snapshot: sales that are being recorded meanwhile do not disturb it."""
    differences, unshown = [], 0
    async with db.transaction():
        await db.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # A million customers are read for minutes: longer than anything that somebody waits for may take.
        await db.execute(f"SET LOCAL statement_timeout = '{PATIENCE_SECONDS}s'")
        [sizes] = await db.fetch_patiently(PATIENCE_SECONDS, SIZES)
        for check, sql in CHECKS.items():
            rows = await db.fetch_patiently(PATIENCE_SECONDS, f"{sql} ORDER BY 1", *([now] if "$1" in sql else []))
            differences += [_difference(check, row) for row in rows[:SHOWN]]
            unshown += max(0, len(rows) - SHOWN)
    return Proof(**sizes, differences=differences, unshown=unshown)


def _difference(check: str, row: db.Row) -> Difference:
    # A check about customers has their id as its own.
    whose = row["id"] if "customer" in check else None
    return Difference(check, row["id"], row["expected"], row["found"], row.get("customer_id", whose))
