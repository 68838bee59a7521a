"""What is on the card, what runs out when, and what is missing for the next level."""

from datetime import timedelta

from babel.numbers import format_percent

from bot.dialogs.base import Dialog, Reply, Turn, said
from loyalty import wording
from loyalty.bonuses.queries import Account, account
from loyalty.clock import business_date
from loyalty.customers.queries import customer
from loyalty.receipts.queries import paid_since
from loyalty.shop.queries import programme_at

MOST_LOTS = 5
_A_MOMENT = timedelta(microseconds=1)


async def show(turn: Turn) -> Reply:
    """The account in words."""
    person = await customer(turn.customer_id())
    programme = await programme_at(turn.now)
    standing = await account(person.id, now=turn.now)
    tier = programme.tier(person.tier_id)
    lines = [turn.say("balance.balance", balance=turn.bonuses(max(0, standing.balance)))]
    if standing.available != standing.balance and standing.balance > 0:
        lines.append(turn.say("balance.available", available=turn.bonuses(standing.available)))
    if standing.pending:
        lines.append(turn.say("balance.pending", pending=turn.bonuses(standing.pending)))
    lines += _expiries(turn, standing)
    rate = format_percent(tier.rate_bp / 10_000, "#,##0.##%", locale=wording.locale(turn.language))
    lines += ["", turn.say("balance.tier", tier=tier.name, rate=rate)]
    following = programme.next_tier(tier)
    if following is not None:
        paid = await paid_since(person.id, turn.now - timedelta(days=programme.tier_window_days))
        missing = max(0, following.threshold - paid)
        lines.append(turn.say("balance.next", tier=following.name, sum=turn.money(missing)))
    return Reply((said("\n".join(lines), menu=turn.menu()),))


def _expiries(turn: Turn, standing: Account) -> list[str]:
    """What runs out when, soonest first, one line a day."""
    days: dict[str, int] = {}
    for view in standing.lots:
        if view.lot.expires_at is not None and view.lot.expires_at > turn.now:
            day = wording.day(business_date(view.lot.expires_at - _A_MOMENT, turn.chain.time_zone), turn.language)
            days[day] = days.get(day, 0) + view.lot.remaining
    if not days:
        return []
    listed = [
        turn.say("balance.expiry", day=day, bonuses=turn.bonuses(amount))
        for day, amount in list(days.items())[:MOST_LOTS]
    ]
    return ["", turn.say("balance.expiry_title"), *listed]


DIALOG = Dialog(commands={"balance": show}, labels={"menu.balance": "balance"})
