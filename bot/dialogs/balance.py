"""What is on the card, what runs out when, and what is missing for the next level."""

from bot.dialogs.base import Dialog, Reply, Turn, said
from loyalty import wording
from loyalty.bonuses.queries import Account, account, tier_parts
from loyalty.bonuses.rules import expiries, progress_at
from loyalty.shop.rules import TierBasis


async def show(turn: Turn) -> Reply:
    """The account in words."""
    customer_id = turn.customer_id()
    programme = turn.programme
    standing = await account(customer_id, now=turn.now)
    tier = programme.tier(standing.tier_id)
    lines = [turn.say("balance.balance", balance=turn.bonuses(max(0, standing.balance)))]
    if standing.available != standing.balance and standing.balance > 0:
        lines.append(turn.say("balance.available", available=turn.bonuses(standing.available)))
    if standing.pending:
        lines.append(turn.say("balance.pending", pending=turn.bonuses(standing.pending)))
    lines += _expiries(turn, standing)
    lines += ["", turn.say("balance.tier", tier=tier.name, rate=wording.percent(tier.rate_bp, turn.language))]
    following = programme.next_tier(tier)
    if following is not None:
        progress = progress_at(await tier_parts(customer_id, programme, now=turn.now), turn.now)
        missing = max(0, following.threshold - progress)
        if programme.tier_basis is TierBasis.VISITS:
            visits = wording.visits_in_words(missing, turn.language)
            lines.append(turn.say("balance.next_visits", tier=following.name, visits=visits))
        else:
            lines.append(turn.say("balance.next", tier=following.name, sum=turn.money(missing)))
    return Reply((said("\n".join(lines), menu=turn.menu()),))


def _expiries(turn: Turn, standing: Account) -> list[str]:
    """What runs out when, soonest first, one line a day."""
    coming = expiries([view.lot for view in standing.lots], turn.now, turn.chain.time_zone)
    if not coming.days:
        return []
    lines = [
        turn.say("balance.expiry", day=wording.day(day, turn.language), bonuses=turn.bonuses(amount))
        for day, amount in coming.days
    ]
    if coming.later:
        lines.append(turn.say("balance.expiry_later", bonuses=turn.bonuses(coming.later)))
    return ["", turn.say("balance.expiry_title"), *lines]


DIALOG = Dialog(commands={"balance": show}, labels={"menu.balance": "balance"})
