"""Everything that is held about one person, as one document. The keys are stable: people keep it, programs read it.

About others there is nothing in it: no colleague's name, no other customer's. Moments are UTC, days are local days.
"""

from datetime import datetime
from typing import Any

from loyalty import db
from loyalty.errors import NotFound, Refused

FORMAT = "regulars.own_data"
VERSION = 1
UNITS = {
    "money": "minor units of the currency: kopecks, cents",
    "bonuses": "hundredths of a bonus",
    "discount": "hundredths of a percent",
}

MINE = "(SELECT id FROM customer WHERE id = $1 OR merged_into_id = $1)"
"""SQL: the person's card, and those that became it. Index: customer_merged_into."""

# Section -> its rows. Each is read along an index that begins with the customer, or with an account of theirs.
SECTIONS = {
    "cards": f"""
        SELECT name, phone, phone_verified_at, email, card_number, gender, birthday, language, created_at, created_via,
            referral_code, (SELECT name FROM location WHERE id = home_location_id) AS home_location,
            (SELECT name FROM entry_link WHERE id = entry_link_id) AS came_by, merged_into_id IS NOT NULL AS was_merged
        FROM customer WHERE id IN {MINE} ORDER BY merged_into_id IS NOT NULL, id""",
    "answers": f"""
        SELECT q.labels AS question, coalesce(a.text, a.day::text, (SELECT one.body->>'labels'
            FROM jsonb_array_elements(q.choices) one (body) WHERE (one.body->>'id')::int = a.choice)) AS answer, a.at
        FROM answer a JOIN question q ON q.id = a.question_id WHERE a.customer_id IN {MINE} ORDER BY a.id""",
    "registration": f"SELECT step, via, at FROM registration_step WHERE customer_id IN {MINE} ORDER BY at, id",
    "consents": f"""
        SELECT topic, granted, source, text_version, at FROM consent WHERE customer_id IN {MINE} ORDER BY id""",
    "messengers": f"""
        SELECT channel, address, alias, name, username, phone, language, is_active, is_default, linked_at,
            takes_service, takes_marketing, takes_surveys
        FROM messenger_account WHERE customer_id IN {MINE} ORDER BY id""",
    "labels": f"""
        SELECT 'category' AS kind, c.name, m.added_at FROM customer_category m JOIN category c ON c.id = m.category_id
        WHERE m.customer_id IN {MINE}
        UNION ALL SELECT 'segment', s.name, m.added_at FROM segment_member m JOIN segment s ON s.id = m.segment_id
        WHERE m.customer_id IN {MINE}
        UNION ALL SELECT 'importance', i.name, NULL FROM customer_facts f
            JOIN importance_class i ON i.id = f.importance_id
        WHERE f.customer_id = $1""",
    "figures": """
        SELECT sold, paid, receipts, visits, balance, debt, earned, burnt, expired, discount_bp AS discount, tips,
            nullif(first_visit_at, '1970-01-01+00') AS first_visit_at,
            nullif(last_visit_at, '1970-01-01+00') AS last_visit_at
        FROM customer_facts WHERE customer_id = $1""",
    "levels": f"SELECT tier_id AS level, reason, at FROM tier_change WHERE customer_id IN {MINE} ORDER BY id",
    "bonuses": f"""
        SELECT e.at, e.kind, e.event, e.amount, e.balance_after, l.name AS location, c.text AS comment
        FROM bonus_entry e LEFT JOIN location l ON l.id = e.location_id
            LEFT JOIN bonus_entry_comment c ON c.entry_id = e.id WHERE e.customer_id IN {MINE} ORDER BY e.id""",
    "lots": f"""
        SELECT amount, remaining, activates_at, expires_at, source FROM bonus_lot
        WHERE customer_id IN {MINE} AND remaining > 0 ORDER BY expires_at NULLS LAST, id""",
    "receipts": f"""
        SELECT r.id AS number, r.kind, r.source, r.at, l.name AS location, r.total, r.discount, r.paid, r.burnt,
            r.earned, r.refunded, r.original_id AS refund_of, r.promo_code,
            (SELECT coalesce(jsonb_agg(jsonb_build_object('name', line.name, 'category', line.category,
                'total', line.total) ORDER BY position), '[]')
                FROM receipt_line line WHERE line.receipt_id = r.id) AS lines
        FROM receipt r JOIN location l ON l.id = r.location_id WHERE r.customer_id IN {MINE} ORDER BY r.at, r.id""",
    "fiscal_receipts": f"""
        SELECT fn, i, fp, total, sold_at, state, created_at FROM fiscal_claim
        WHERE customer_id IN {MINE} ORDER BY id""",
    "appointments": f"""
        SELECT a.starts_at, a.ends_at, l.name AS location, a.state, a.source, a.tips, (SELECT coalesce(
            jsonb_agg(s.name ORDER BY s.name), '[]') FROM appointment_service part JOIN service s
            ON s.id = part.service_id WHERE part.appointment_id = a.id) AS services
        FROM appointment a JOIN location l ON l.id = a.location_id
        WHERE a.customer_id IN {MINE} ORDER BY a.starts_at, a.id""",
    "invitations": f"""
        SELECT 'invited somebody' AS what, created_at, state FROM referral WHERE referrer_id IN {MINE}
        UNION ALL SELECT 'was invited', created_at, state FROM referral WHERE invitee_id IN {MINE}""",
    "entry_links": f"""
        SELECT k.name, v.at FROM entry_visit v JOIN entry_link k ON k.id = v.link_id
            JOIN messenger_account a ON a.id = v.account_id WHERE a.customer_id IN {MINE} ORDER BY v.id""",
    "scores": f"""
        SELECT a.score, a.comment, l.name AS location, a.channel, a.answered_at, a.changed_at FROM survey_answer a
            LEFT JOIN location l ON l.id = a.location_id WHERE a.customer_id IN {MINE} ORDER BY a.answered_at""",
    "messages": f"""
        SELECT m.created_at, m.channel, m.direction, m.kind, m.topic, m.content->>'text' AS text, m.status,
            coalesce((SELECT name FROM media WHERE message_id = m.id LIMIT 1),
                (SELECT name FROM attachment WHERE id = (m.content->>'attachment')::bigint)) AS file
        FROM message m JOIN messenger_account a ON a.id = m.account_id
        WHERE a.customer_id IN {MINE} AND (m.customer_id IS NULL OR m.customer_id IN {MINE}) AND m.direction <> 'log'
            AND m.kind <> 'task_due'
        ORDER BY m.id""",
    "campaigns": f"""
        SELECT c.id AS number, coalesce(c.started_at, c.created_at) AS began_at, CASE r.state WHEN 'skipped'
            THEN 'left out' WHEN 'control' THEN 'drawn not to be written to' ELSE 'written to' END AS what, r.reason,
            CASE WHEN c.other_texts IS NOT NULL AND r.state NOT IN ('skipped', 'control')
                THEN chr(ascii('A') + r.variant) END AS wording_drawn,
            (SELECT coalesce(jsonb_agg(jsonb_build_object('address', c.buttons->k.button::int->>'url', 'first_at',
                k.first_at, 'clicks', k.clicks) ORDER BY k.button), '[]') FROM campaign_click k
                WHERE k.campaign_id = r.campaign_id AND k.customer_id = r.customer_id) AS followed
        FROM recipient r JOIN campaign c ON c.id = r.campaign_id WHERE r.customer_id IN {MINE} ORDER BY c.id""",
    "automations": f"""
        SELECT a.name, r.state, r.reason, r.started_at, r.finished_at, r.outcomes AS steps
        FROM automation_run r JOIN automation a ON a.id = r.automation_id
        WHERE r.customer_id IN {MINE} AND r.reason IS DISTINCT FROM 'was_there' ORDER BY r.id""",
    "notes": f"""
        SELECT text, created_at FROM note WHERE customer_id IN {MINE} AND deleted_at IS NULL
        UNION ALL SELECT m.content->>'text', m.created_at FROM message m
            JOIN messenger_account a ON a.id = m.account_id
        WHERE a.customer_id IN {MINE} AND m.customer_id IN {MINE} AND m.direction = 'log' ORDER BY 2""",
}
# One statement, and so one moment.
ALL = "SELECT {}".format(
    ", ".join(
        f"(SELECT coalesce(jsonb_agg(to_jsonb(one)), '[]') FROM ({sql}) one) AS {name}"
        for name, sql in SECTIONS.items()
    )
)
STATE = "SELECT merged_into_id, erased_at FROM customer WHERE id = $1"
SHOP = "SELECT name, currency, exponent FROM shop"


async def own_data(customer_id: int, *, now: datetime) -> dict[str, Any]:
    """All that is held about a person: each section of SECTIONS as a list, and what the figures are counted in.

    Raises NotFound("customer"), also for somebody who was erased; Refused("card_was_merged", customer_id=...).
    """
    card = await db.fetch_row(STATE, customer_id)
    if card is None or card["erased_at"] is not None:
        raise NotFound("customer")
    if card["merged_into_id"] is not None:
        raise Refused("card_was_merged", customer_id=card["merged_into_id"])
    shop = await db.fetch_row(SHOP)
    found = await db.fetch_row(ALL, customer_id)
    assert found is not None
    head = {"format": FORMAT, "version": VERSION, "made_at": now.isoformat(), "shop": shop, "units": UNITS}
    return head | {name: db.from_json(found[name]) for name in SECTIONS}
