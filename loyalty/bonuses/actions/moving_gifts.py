"""Gifts that a person gets once, and invitations, when two cards of theirs become one."""

from typing import Any

from loyalty import db, wording
from loyalty.bonuses.actions.moving import Merging
from loyalty.bonuses.actions.once_only import person_hash
from loyalty.bonuses.actions.posting import NewLot, Posting, debt_of, post
from loyalty.bonuses.actions.taking_back import TakenBack, take_back
from loyalty.bonuses.rules import Kind, Source, Taken, gift_lot_dates
from loyalty.conversations.actions.outbox import tell_customer
from loyalty.conversations.queries.recipients import recipient_of
from loyalty.shop.rules import Programme


async def take_back_twice(merging: Merging, gifts: list[tuple[int, int, str]], programme: Programme) -> list[Any]:
    """Take back what a person had twice, and tell them. After the lots have moved. Returns what was taken."""
    done: list[Any] = []
    for entry_id, _amount, _event in gifts:
        back = await take_back(
            entry_id,
            "gift_twice",
            f"{merging.name}:gift:{entry_id}",
            policy=programme.debt_policy,
            actor=merging.actor,
            now=merging.now,
            zone=merging.zone,
        )
        if back is not None:
            done.append(_remembered(back))
            await _tell(back, merging)
    return done


def _remembered(back: TakenBack) -> dict[str, Any]:
    return {"entry": back.entry_id, "taken": [[one.lot_id, one.amount] for one in back.taken], "debt": back.debt}


async def _tell(back: TakenBack, merging: Merging) -> None:
    recipient = await recipient_of(back.customer_id, "bonuses_debited")
    if recipient is None:
        return
    values = {
        "amount": wording.bonuses_in_words(back.amount, recipient.language),
        "balance": wording.bonuses_in_words(max(0, back.balance), recipient.language),
    }
    await tell_customer(recipient, values, dedupe_key=f"{merging.name}:told:{back.entry_id}", now=merging.now)


ALIVE = "SELECT id FROM bonus_lot WHERE id = ANY($1::bigint[]) AND (expires_at IS NULL OR expires_at > $2)"


async def give_again(merging: Merging, remembered: list[Any], programme: Programme) -> list[int]:
    """Take `take_back_twice` back; the entries by which. Before the lots go back.

    Bonuses return to the lots that they were taken of; what would have expired meanwhile has.
    """
    entries = []
    lot_ids = [lot_id for gift in remembered for lot_id, _ in gift["taken"]]
    alive = {row["id"] for row in await db.fetch(ALIVE, lot_ids, merging.now)}
    for gift in remembered:
        given = [Taken(lot_id, -amount) for lot_id, amount in gift["taken"] if lot_id in alive]
        total = gift["debt"] - sum(part.amount for part in given)
        if not total:
            continue
        lot, repaid = None, 0
        if gift["debt"]:
            # What had become debt comes as bonuses anew; what of that debt is still there is repaid by them.
            repaid = min(gift["debt"], await debt_of(merging.survivor_id))
            dates = gift_lot_dates(programme.refund_grace_days, merging.now, merging.zone)
            lot = NewLot(gift["debt"], dates, Source.GRACE, repaid=repaid)
        entry_id, _ = await post(
            Posting(
                merging.survivor_id,
                total,
                Kind.GRANT,
                "gift_again",
                f"{merging.name}:again:{gift['entry']}",
                merging.actor,
                merging.now,
                merging.zone,
                taken=given,
                lot=lot,
                debt=-repaid,
                corrects_id=gift["entry"],
            )
        )
        entries.append(entry_id)
    return entries


# The person has had what either of them had, under whatever phone they are known by now.
TOMBSTONES = """
INSERT INTO once_only_bonus (person, kind, period, entry_id)
SELECT DISTINCT ON (kind, period) $2, kind, period, entry_id FROM once_only_bonus
WHERE person = ANY($1::text[]) ORDER BY kind, period, id
ON CONFLICT (person, kind, period) DO NOTHING RETURNING id
"""


async def remember_both(persons: list[str], survivor_id: int) -> list[int]:
    """Copy the tombstones of both to whoever the survivor is now. persons: their hashes of before."""
    person = await person_hash(survivor_id)
    return [row["id"] for row in await db.fetch(TOMBSTONES, persons, person)]


async def forget_copies(tombstones: list[int]) -> None:
    """Take `remember_both` back."""
    await db.execute("DELETE FROM once_only_bonus WHERE id = ANY($1::bigint[])", tombstones)


# Nobody invites themselves: an invitation between the two cards is none. A person comes by one invitation: the
# survivor's own stays theirs. Whom the other card invited, the survivor did.
BETWEEN = """
SELECT invitee_id, referrer_id, state, reason, due_at, entry_id, invitee_entry_id FROM referral
WHERE invitee_id IN ($1, $2) AND (referrer_id IN ($1, $2)
    OR invitee_id = $1 AND EXISTS (SELECT FROM referral WHERE invitee_id = $2))
"""
CLOSE = """
UPDATE referral SET state = CASE WHEN state = 'paid' AND referrer_id IN ($1, $2) THEN 'undone'
        WHEN state IN ('waiting', 'due') THEN 'refused' ELSE state END,
    reason = CASE WHEN state IN ('waiting', 'due') THEN 'same_person' ELSE reason END, due_at = NULL
WHERE invitee_id = ANY($3::bigint[])
"""
LEAD = """
WITH mine AS (
    UPDATE referral SET invitee_id = $2 WHERE invitee_id = $1 AND NOT invitee_id = ANY($3::bigint[])
    RETURNING invitee_id
), others AS (
    UPDATE referral SET referrer_id = $2 WHERE referrer_id = $1 AND NOT invitee_id = ANY($3) RETURNING invitee_id
)
SELECT EXISTS (SELECT FROM mine) AS mine, ARRAY(SELECT invitee_id FROM others) AS others
"""


async def move_referrals(merging: Merging, programme: Programme) -> dict[str, Any]:
    """Make one customer's invitations another's; gifts that somebody had for inviting themselves are taken back."""
    merged, survivor = merging.merged_id, merging.survivor_id
    closed = await db.fetch(BETWEEN, merged, survivor)
    ids = [row["invitee_id"] for row in closed]
    await db.execute(CLOSE, merged, survivor, ids)
    moved = await db.fetch_row(LEAD, merged, survivor, ids)
    assert moved is not None
    own = [row for row in closed if row["referrer_id"] in {merged, survivor} and row["state"] == "paid"]
    gifts = [(row[name], 0, "") for row in own for name in ("entry_id", "invitee_entry_id") if row[name] is not None]
    own_gifts = [entry_id for entry_id, _, _ in gifts]
    rows = [row | {"due_at": row["due_at"] and row["due_at"].isoformat()} for row in closed]
    return {**moved, "closed": rows, "own_gifts": own_gifts, "gifts": await take_back_twice(merging, gifts, programme)}


# What became paid or refused since is the survivor's.
LEAD_BACK = """
WITH again AS (
    SELECT * FROM jsonb_to_recordset($3::jsonb) again (invitee_id bigint, state text, reason text, due_at timestamptz)
), reopened AS (
    UPDATE referral SET state = again.state, reason = again.reason, due_at = again.due_at FROM again
    WHERE referral.invitee_id = again.invitee_id
), others AS (
    UPDATE referral SET referrer_id = $2 WHERE referrer_id = $1 AND invitee_id = ANY($4::bigint[])
        AND (entry_id IS NULL OR (SELECT customer_id FROM bonus_entry WHERE id = entry_id) <> $1)
)
UPDATE referral SET invitee_id = $2 WHERE $5 AND invitee_id = $1
    AND (invitee_entry_id IS NULL OR (SELECT customer_id FROM bonus_entry WHERE id = invitee_entry_id) <> $1)
    AND (receipt_id IS NULL OR (SELECT customer_id FROM receipt WHERE id = receipt_id) <> $1)
    AND NOT EXISTS (SELECT FROM referral WHERE invitee_id = $2)
"""


async def move_referrals_back(merging: Merging, remembered: dict[str, Any], programme: Programme) -> list[int]:
    """Take `move_referrals` back; the entries by which its gifts were given again. After the receipts went back."""
    closed = db.to_json(remembered["closed"])
    survivor, merged = merging.survivor_id, merging.merged_id
    await db.execute(LEAD_BACK, survivor, merged, closed, remembered["others"], remembered["mine"])
    return await give_again(merging, remembered["gifts"], programme)
