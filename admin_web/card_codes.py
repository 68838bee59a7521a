"""What a card shows at the till: six digits on its face; its number and the six digits in its QR code."""

from dataclasses import dataclass

from aiohttp import web

from admin_web.auth import staff_of
from admin_web.keys import REDIS, SETTINGS, now
from admin_web.throttle import forgive_code, seconds_to_wait_for_code
from loyalty.conversations.queries import find_by_card_code
from loyalty.customers.queries import find_by_card_number
from loyalty.customers.rules import CODE_DIGITS, CardProof, code_key, is_card_number, proof_of
from loyalty.errors import Refused

CARD_DIGITS = 8
QR_DIGITS = CARD_DIGITS + CODE_DIGITS


@dataclass(frozen=True, slots=True)
class HeldCard:
    """A card that was held up to the till. `proof` None: its code was out of date."""

    customer_id: int
    proof: CardProof | None


async def held_card(request: web.Request, digits: str, *, guesser: int | str | None = None) -> HeldCard | None:
    """Whose card shows these digits, typed or scanned; None when they are no code of a card.

    Wrong codes are counted by `guesser`: the staff member who asks, unless another is named. Raises
    Refused("code_is_unknown" | "code_is_ambiguous" | "too_many_codes", wait=seconds).
    """
    who = staff_of(request).id if guesser is None else guesser
    if len(digits) == CODE_DIGITS:
        await _count_try(request, who)
        proof = await find_by_card_code(digits, key=_key(request), now=now(request))
        if proof is None:
            raise Refused("code_is_unknown")
        owner = proof.customer_id
    else:
        number, code = digits[:CARD_DIGITS], digits[CARD_DIGITS:]
        found = await find_by_card_number(number) if len(digits) == QR_DIGITS and is_card_number(number) else None
        if found is None:
            return None
        await _count_try(request, who)
        owner, proof = found, proof_of(_key(request), found, code, now(request))
    if proof is not None:
        await forgive_code(request.app[REDIS], who)
    return HeldCard(owner, proof)


async def proof_by(request: web.Request, customer_id: int, code: str, *, guesser: int | str) -> CardProof | None:
    """What six digits prove about a customer who is known already; wrong ones count like any other.

    Raises Refused("too_many_codes", wait=seconds).
    """
    await _count_try(request, guesser)
    proof = proof_of(_key(request), customer_id, code, now(request))
    if proof is not None:
        await forgive_code(request.app[REDIS], guesser)
    return proof


async def _count_try(request: web.Request, guesser: int | str) -> None:
    if wait := await seconds_to_wait_for_code(request.app[REDIS], guesser):
        raise Refused("too_many_codes", wait=wait)


def _key(request: web.Request) -> bytes:
    secret = request.app[SETTINGS].secret_key
    assert secret is not None
    return code_key(secret.get_secret_value())
