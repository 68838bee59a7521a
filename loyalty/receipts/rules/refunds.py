"""What a refund undoes: by sum, by line, again and again, never more than there was."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from loyalty.errors import Invalid, Refused
from loyalty.money import money_of, proportion
from loyalty.shop.rules import Programme

UNDO_WINDOW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class LineRefund:
    """Take back a line by its position (from 1): `amount` minor units of it, or all that is left (None)."""

    position: int
    amount: int | None = None


@dataclass(frozen=True, slots=True)
class OriginalLine:
    """A line of a sale as a refund sees it. `refunded`: what refunds by line took of its total so far."""

    position: int
    total: int
    burnt: int
    earned: int
    refunded: int


@dataclass(frozen=True, slots=True)
class Original:
    """A sale as a refund sees it. `refunded`, `restored`, `reversed` and `paid_back`: what refunds did so far.

    reversed: taken back, forgiven or kept back by the till. expired: what of its own lot has expired unspent.
    """

    total: int
    paid: int
    burnt: int
    earned: int
    refunded: int
    restored: int
    reversed: int
    paid_back: int
    expired: int
    lines: tuple[OriginalLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Undone:
    """What one refund moves: bonuses back to the customer, bonuses taken back, money returned, parts of lines."""

    amount: int
    restore: int
    reverse: int
    pay_back: int
    lines: tuple[tuple[int, int], ...] = ()


def undo(original: Original, amount: int | None, programme: Programme, *, lines: Sequence[LineRefund] = ()) -> Undone:
    """What a refund moves: of `amount` minor units, of all that is left (None), or of some `lines`.

    Counted on what is refunded so far, so that two refunds of 20 % undo exactly what one of 40 % does; a line gives
    back its own share of what was earned and burnt, a sum its part of what lines have not given back. What of the
    earned expired unspent counts as taken back. Raises Invalid("amount" | "lines"), Refused("refund_over_original").
    """
    left = original.total - original.refunded
    parts = _line_parts(original, lines)
    if lines:
        amount = sum(part for _, part in parts)
    elif amount is None:
        amount = left
    if amount <= 0:
        raise Invalid("amount", "must_be_positive")
    if amount > left:
        raise Refused("refund_over_original", left=left)
    after = original.refunded + amount
    by_line = {line.position: line.refunded for line in original.lines}
    for position, part in parts:
        by_line[position] += part
    restored = max(original.restored, _undone("burnt", original, by_line, after))
    reversed_ = max(original.reversed, _undone("earned", original, by_line, after) - original.expired)
    # Rounding down what returns as bonuses must not return more money than was paid.
    paid_back = min(original.paid, max(original.paid_back, after - money_of(restored, programme.bonus_value)))
    if after == original.total:
        paid_back = original.paid
    return Undone(
        amount=amount,
        restore=restored - original.restored,
        reverse=reversed_ - original.reversed,
        pay_back=paid_back - original.paid_back,
        lines=parts,
    )


def _line_parts(original: Original, lines: Sequence[LineRefund]) -> tuple[tuple[int, int], ...]:
    """(position, minor units) of the lines to take back."""
    known = {line.position: line for line in original.lines}
    if len({line.position for line in lines}) != len(lines):
        raise Invalid("lines", "line_named_twice")
    parts = []
    for wanted in lines:
        line = known.get(wanted.position)
        if line is None:
            raise Invalid("lines", "no_such_line", position=wanted.position)
        left = line.total - line.refunded
        if not left:
            raise Refused("already_refunded")
        part = left if wanted.amount is None else wanted.amount
        if part <= 0:
            raise Invalid("lines", "must_be_positive")
        if part > left:
            raise Refused("refund_over_original", left=left)
        parts.append((wanted.position, part))
    return tuple(parts)


def _undone(what: Literal["burnt", "earned"], original: Original, by_line: dict[int, int], after: int) -> int:
    """What of the burnt or earned is undone once `after` minor units of the sale are refunded.

    Lines give back their shares; the sum refunded without naming lines takes its part of what they left.
    """
    whole: int = getattr(original, what)
    if after == original.total:
        return whole
    shares = sum(
        proportion(getattr(line, what), by_line[line.position], line.total) for line in original.lines if line.total
    )
    rest, by_sum = original.total - sum(by_line.values()), after - sum(by_line.values())
    return shares + (proportion(whole - shares, by_sum, rest) if rest else 0)
