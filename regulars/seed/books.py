"""Receipts and ledger of made-up customers, as rows. Everything is numbered before it comes here."""

from datetime import datetime
from random import Random

from loyalty import db
from loyalty.bonuses.rules import HoldState
from loyalty.clock import business_date
from loyalty.receipts.rules.sales import Presence, ReceiptSource
from regulars.seed.accounts import write_accounts
from regulars.seed.life import Seeded
from regulars.seed.profiles import write_people
from regulars.seed.records import ZONE, Entry


async def write_lives(made: list[Seeded], random: Random, now: datetime) -> None:
    """COPY a chunk with all that is its own, but for what was said in chats and what came out of it."""
    await write_people(made, random, now)
    await write_accounts(made)
    await write_receipts(made)
    await write_ledger(made)
    await write_holds(made)
    await write_referrals(made)


async def write_receipts(made: list[Seeded]) -> None:
    """COPY the receipts of a chunk, the codes that their burns used, and the tiers that they brought."""
    rows = sorted(((receipt, one.id) for one in made for receipt in one.life.receipts), key=lambda row: row[0].id)
    await db.copy_rows(
        "receipt",
        [
            "id",
            "kind",
            "source",
            "location_id",
            "external_id",
            "customer_id",
            "original_id",
            "total",
            "paid",
            "burnt",
            "earned",
            "refunded",
            "awards",
            "presence",
            "staff_id",
            "at",
            "business_date",
            "body_hash",
            "answer",
            "discount",
            "tier_id",
            "programme_id",
            "promo_code",
            "fiscal_fn",
            "fiscal_i",
            "fiscal_fp",
        ],
        [
            (
                r.id,
                r.kind,
                r.source.value,
                r.location_id,
                r.external_id or f"seed-{r.id}",
                customer_id,
                r.original.id if r.original else None,
                r.total,
                r.paid,
                r.burnt,
                r.earned,
                r.refunded,
                db.to_json(r.awards),
                r.presence,
                r.staff_id,
                r.at,
                business_date(r.at, ZONE),
                r.body_hash(),
                db.to_json(r.answer()),
                r.discount,
                r.tier_id,
                r.programme_id,
                r.promo_code,
                r.fiscal.fn if r.fiscal else None,
                r.fiscal.i if r.fiscal else None,
                r.fiscal.fp if r.fiscal else None,
            )
            for r, customer_id in rows
        ],
    )
    await db.copy_rows(
        "receipt_line",
        ["receipt_id", "position", "name", "sku", "category", "total", "discount", "burnt", "earned", "refunded"],
        [
            (
                r.id,
                part.position,
                part.line.name,
                part.line.sku,
                part.line.category,
                part.line.total,
                part.discount,
                part.burnt,
                part.earned,
                part.refunded,
            )
            for r, _ in rows
            for part in r.lines
        ],
    )
    await db.copy_rows(
        "card_code_use",
        ["customer_id", "step", "receipt_id"],
        [(customer_id, r.code_step, r.id) for r, customer_id in rows if r.presence == Presence.CODE],
    )
    await db.copy_rows(
        "tier_change",
        ["customer_id", "tier_id", "previous_tier_id", "receipt_id", "staff_id", "reason", "at"],
        [
            (
                one.id,
                move.tier_id,
                move.previous_id,
                move.receipt.id if move.receipt else None,
                move.staff_id,
                move.reason,
                move.at,
            )
            for one in made
            for move in one.life.standing.moves
        ],
    )


def _actor_kind(entry: Entry) -> str:
    """From which door an entry came."""
    if entry.staff_id is not None:
        return "staff"
    doors = {ReceiptSource.CHAT: "customer", ReceiptSource.API: "api"}
    return doors.get(entry.receipt.source, "job") if entry.receipt else "job"


async def write_ledger(made: list[Seeded]) -> None:
    """COPY the entries of a chunk and all that hangs on them."""
    entries = sorted(((entry, one) for one in made for entry in one.life.entries), key=lambda row: row[0].id)
    await db.copy_rows(
        "bonus_entry",
        [
            "id",
            "customer_id",
            "amount",
            "balance_after",
            "kind",
            "event",
            "operation_id",
            "actor_kind",
            "staff_id",
            "location_id",
            "receipt_id",
            "corrects_id",
            "at",
            "business_date",
        ],
        [
            (
                e.id,
                one.id,
                e.amount,
                e.balance_after,
                e.kind.value,
                e.event,
                e.operation_id or f"seed:{e.id}",
                _actor_kind(e),
                e.staff_id,
                e.location_id,
                e.receipt.id if e.receipt else None,
                e.corrects.id if e.corrects else None,
                e.at,
                business_date(e.at, ZONE),
            )
            for e, one in entries
        ],
    )
    await db.copy_rows(
        "bonus_entry_comment", ["entry_id", "text"], [(e.id, e.comment) for e, _ in entries if e.comment is not None]
    )
    await db.copy_rows(
        "bonus_lot",
        ["id", "customer_id", "entry_id", "amount", "remaining", "activates_at", "expires_at", "source"],
        [
            (
                e.lot.id,
                one.id,
                e.id,
                e.lot.amount,
                e.lot.remaining,
                e.lot.activates_at,
                e.lot.expires_at,
                e.lot.source.value,
            )
            for e, one in entries
            if e.lot is not None
        ],
    )
    await db.copy_rows(
        "bonus_allocation",
        ["entry_id", "lot_id", "amount"],
        [(e.id, lot.id, part) for e, _ in entries for lot, part in e.taken],
    )
    await db.copy_rows(
        "once_only_bonus",
        ["person", "kind", "period", "entry_id"],
        [(one.life.person_hash, kind, period, entry.id) for one in made for kind, period, entry in one.life.once_only],
    )


async def write_holds(made: list[Seeded]) -> None:
    """COPY what was set aside, and from which lots."""
    holds = sorted((hold for one in made for hold in one.life.holds), key=lambda hold: hold.id)
    await db.copy_rows(
        "hold",
        [
            "id",
            "source",
            "location_id",
            "external_id",
            "customer_id",
            "total",
            "amount",
            "state",
            "presence",
            "code_step",
            "created_at",
            "expires_at",
            "decided_at",
            "receipt_id",
            "staff_id",
            "body_hash",
        ],
        [
            (
                hold.id,
                "till",
                hold.place.id,
                f"seed-{hold.id}",
                hold.draft.customer_id,
                hold.total,
                hold.draft.burn,
                hold.state.value,
                hold.presence,
                hold.code_step,
                hold.at,
                hold.expires_at,
                hold.decided_at,
                hold.receipt.id if hold.receipt and hold.state is HoldState.CONFIRMED else None,
                hold.place.cashier_id,
                hold.draft.body_hash(),
            )
            for hold in holds
        ],
    )
    await db.copy_rows(
        "hold_lot",
        ["hold_id", "lot_id", "amount"],
        [(hold.id, lot.id, part) for hold in holds for lot, part in hold.parts],
    )


async def write_referrals(made: list[Seeded]) -> None:
    """COPY who came by whose invitation, and the gifts of both."""
    invited = [(one.id, one.life.invitation) for one in made if one.life.invitation is not None]
    await db.copy_rows(
        "referral",
        ["invitee_id", "referrer_id", "created_at", "state", "reason", "receipt_id", "entry_id", "invitee_entry_id"],
        [
            (
                invitee_id,
                invitation.referrer.customer_id,
                invitation.created_at,
                invitation.state,
                invitation.reason,
                invitation.receipt.id if invitation.receipt else None,
                invitation.entry.id if invitation.entry else None,
                invitation.invitee_entry.id if invitation.invitee_entry else None,
            )
            for invitee_id, invitation in invited
        ],
    )
