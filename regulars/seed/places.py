"""Phones and e-mails of made-up people: where those hear of us who are in no messenger."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from loyalty.conversations.channels import EMAIL, SMS
from regulars.seed.life import Seeded
from regulars.seed.names import username_of
from regulars.seed.records import Account
from regulars.seed.told import Chain, Line, gifts_told, receipt_line

SMS_SINCE = timedelta(days=30)
EMAIL_SINCE = timedelta(days=330)
"""For so long receipts have gone by SMS, and gifts by e-mail, to those without a messenger."""
LOST_SMS = 17
GONE_EMAIL = 23
"""Of so many people one has a phone that was off, or an e-mail that is no more."""


def email_of(one: Seeded) -> str | None:
    """The e-mail on a card: of two in five people."""
    if one.id % 5 not in (1, 3):
        return None
    return f"{username_of(one.person, one.id)}@mail.example"


def places_of(one: Seeded) -> tuple[Account, ...]:
    """The accounts that go with the profile."""
    since = (("added", one.life.joined),)
    places = [Account(SMS, one.person.phone, "", None, since, None, is_default=False)]
    if (email := email_of(one)) is not None:
        places.append(Account(EMAIL, email, "", None, since, None, is_default=False))
    return tuple(places)


def leave(made: Sequence[Seeded], now: datetime) -> None:
    """Let some e-mails be no more, which the last gift found out."""
    for one in made:
        for place in one.places:
            if place.channel == EMAIL and one.id % GONE_EMAIL == 0 and (told := _gifts(one, place, now)):
                place.blocked_at, place.reason = told[-1].at + timedelta(seconds=3), "gone"


def said_there(one: Seeded, place: Account, chain: Chain, now: datetime) -> list[Line]:
    """What was written to a phone or an e-mail, in the order of time."""
    if place.channel == SMS:
        return list(_receipts(one, chain, now))
    lines = _gifts(one, place, now)
    if place.blocked_at is not None:
        lines[-1] = lines[-1]._replace(reason="gone")
    return lines


def _receipts(one: Seeded, chain: Chain, now: datetime) -> Iterator[Line]:
    # What found out that a chat is gone was said there.
    lost = [account.lost for account in one.accounts]
    for receipt in one.life.receipts:
        is_new = receipt.kind == "sale" and receipt.at > now - SMS_SINCE
        if is_new and receipt not in lost and one.account_at(receipt.at) is None:
            line = receipt_line(receipt, one.person, chain)
            yield line._replace(reason="rejected") if receipt.id % LOST_SMS == 0 else line


def _gifts(one: Seeded, place: Account, now: datetime) -> list[Line]:
    since = max(now - EMAIL_SINCE, place.linked_at)
    return sorted((line for line in gifts_told(one, None) if line.at > since), key=lambda line: line.at)
