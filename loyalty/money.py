"""Integers of money and bonuses. No float comes near them.

Money is in minor units of the installation's currency (kopecks, cents); bonuses in hundredths of a bonus;
rates in basis points (500 = 5 %). Functions say which way they round.
"""

import re
from collections.abc import Sequence

from loyalty.errors import Invalid

HUNDREDTHS = 100
"""Stored units in one bonus."""

WHOLE_BP = 10_000
"""Basis points in a whole."""

MAX_MINOR = 10**13
"""No sum of money above this is taken: a hundred billion with two decimals is a slip of the hand."""

GROUP_DIGITS = 3
"""So many digits stand between the signs that group thousands."""

_AMOUNT = re.compile(r"(?P<whole>[0-9]{1,15})(?:[.,](?P<fraction>[0-9]{1,6}))?", re.ASCII)
_GROUPING = str.maketrans("", "", " \u00a0\u202f\u2009")


def share_of(amount: int, rate_bp: int) -> int:
    """`rate_bp` basis points of `amount`, rounded down. Both are >= 0; the result has the unit of `amount`."""
    return amount * rate_bp // WHOLE_BP


def floor_to_step(amount: int, step: int) -> int:
    """The largest multiple of `step` not above `amount` (>= 0)."""
    return amount - amount % step


def round_to_step(amount: int, scale: int, step: int) -> int:
    """The multiple of `step` nearest to `amount` / `scale` (>= 0); halves go up."""
    return (2 * amount + scale * step) // (2 * scale * step) * step


def split(amount: int, weights: Sequence[int]) -> list[int]:
    """Divide `amount` (>= 0) by weights (>= 0) into integers that sum up to it; all 0 when the weights are.

    By largest remainder; of equal remainders the earlier takes one more. Source: Hamilton's method.
    """
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    parts = [amount * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: -(amount * weights[index] % whole))
    for index in by_remainder[: amount - sum(parts)]:
        parts[index] += 1
    return parts


def proportion(amount: int, part: int, whole: int) -> int:
    """`amount` x `part` / `whole`, rounded down; the whole of it when `part` is the whole."""
    return amount * part // whole


def money_of(bonuses: int, bonus_value: int) -> int:
    """What `bonuses` (hundredths) pay, in minor units, rounded down. `bonus_value` is minor units a bonus."""
    return bonuses * bonus_value // HUNDREDTHS


def bonuses_of(minor: int, bonus_value: int) -> int:
    """How many bonuses (hundredths) `minor` is worth, rounded down."""
    return minor * HUNDREDTHS // bonus_value


def parse_amount(text: str, exponent: int, *, field: str) -> int:
    """Read a decimal amount typed by a person ("1 840", "1840.50", "1840,5") into its minor units.

    Spaces may group; one comma or point parts the fraction. Only ASCII digits count: "1e309", "1_000", signs
    and other scripts' digits are refused, as is a fraction finer than the minor unit. So is "200,000" where that
    could as well group thousands: it is not for us to guess.
    Raises Invalid with `required`, `not_a_number`, `too_precise` or `too_large`.
    """
    compact = text.strip().translate(_GROUPING)
    if not compact:
        raise Invalid(field, "required")
    match = _AMOUNT.fullmatch(compact)
    if match is None:
        raise Invalid(field, "too_large" if re.fullmatch(r"[0-9]+", compact, re.ASCII) else "not_a_number")
    typed = match["fraction"] or ""
    fraction = typed.rstrip("0")
    if len(fraction) > exponent or len(typed) == GROUP_DIGITS > exponent:
        raise Invalid(field, "too_precise", decimals=exponent)
    amount = int(match["whole"] + fraction.ljust(exponent, "0"))
    if amount > MAX_MINOR:
        raise Invalid(field, "too_large")
    return amount


def parse_share(text: str, *, field: str) -> int:
    """Read a share typed as percent ("7.5", "12,25 %") into basis points, 0 to 10,000.

    Raises Invalid as `parse_amount` does, and with `not_a_share` above a hundred percent.
    """
    share = parse_amount(text.strip().removesuffix("%"), 2, field=field)
    if share > WHOLE_BP:
        raise Invalid(field, "not_a_share")
    return share
