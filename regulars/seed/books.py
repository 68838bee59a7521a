"""Receipts and ledger of made-up customers, as rows. Everything is numbered before it comes here."""

from loyalty import db
from loyalty.clock import business_date
from loyalty.customers.rules import code_step
from loyalty.ids import fingerprint
from loyalty.receipts.rules import Presence
from regulars.seed.life import ZONE, Seeded


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
        ],
        [
            (
                r.id,
                r.kind,
                "till",
                r.location_id,
                f"seed-{r.id}",
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
                r.body_hash(customer_id),
                db.to_json(r.answer()),
            )
            for r, customer_id in rows
        ],
    )
    await db.copy_rows(
        "card_code_use",
        ["customer_id", "step", "receipt_id"],
        [(customer_id, code_step(r.at), r.id) for r, customer_id in rows if r.presence == Presence.CODE],
    )
    await db.copy_rows(
        "tier_change",
        ["customer_id", "tier_id", "previous_tier_id", "receipt_id", "reason", "at"],
        [
            (one.id, tier_id, previous, receipt.id, "threshold", at)
            for one in made
            for at, tier_id, previous, receipt in one.life.tiers
        ],
    )


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
                f"seed:{e.id}",
                "staff" if e.staff_id else "job",
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
        [(fingerprint({"seed": one.id}), "welcome", "", one.life.entries[0].id) for one in made],
    )
