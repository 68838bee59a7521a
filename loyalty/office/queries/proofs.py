"""What the last look at the books found."""

from dataclasses import dataclass
from datetime import datetime

from loyalty import db
from loyalty.office.queries.verify import Difference, Proof


@dataclass(frozen=True, slots=True)
class KeptProof:
    """The outcome of a look at the books: when, and how long it took."""

    at: datetime
    seconds: int
    proof: Proof

    @property
    def found(self) -> int:
        """How many differences there were, shown and unshown."""
        return len(self.proof.differences) + self.proof.unshown


LAST = """
    SELECT at, seconds, customers, entries, lots, receipts, differences, unshown FROM proof ORDER BY id DESC LIMIT 1
"""


async def last_proof() -> KeptProof | None:
    """The newest one; None before the first."""
    row = await db.fetch_row(LAST)
    if row is None:
        return None
    sizes = {name: row[name] for name in ("customers", "entries", "lots", "receipts", "unshown")}
    differences = [Difference(**one) for one in db.from_json(row["differences"])]
    return KeptProof(row["at"], row["seconds"], Proof(**sizes, differences=differences))


async def last_proof_at() -> datetime | None:
    """When the newest one was made."""
    at: datetime | None = await db.fetch_value("SELECT max(at) FROM proof")
    return at
