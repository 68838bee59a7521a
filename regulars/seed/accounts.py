"""Where made-up people can be written to: Telegram, WhatsApp or both, and what they let us write there."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any

from loyalty import db
from loyalty.conversations.channels import TELEGRAM, WHATSAPP
from loyalty.customers.consenting import HOUSE_VERSION
from loyalty.customers.rules import TYPED_PHONE
from regulars.seed.asked import terms_of
from regulars.seed.life import Seeded
from regulars.seed.names import MadeUp, username_of
from regulars.seed.records import Account, OptOut

CAME_BY_CHAT = 0.60
JOINED_LATER = 0.15
INACTIVE = 0.06
"""Shares of people: registered in the chat; added at a till and in the chat later; cannot be written to any more."""
WHATSAPP_ALONE = 0.25
BOTH = 0.37
BY_OWN_NAME = 0.5
GONE = 0.3
"""Shares of those with a messenger, by adding up: have WhatsApp alone; or both. Of accounts: WhatsApp's that go by a
business-scoped name; Telegram's that cannot be written to and are gone rather than have blocked us."""
STOPPED = 0.06
NO_SURVEYS = 0.04
"""Shares of accounts that want no advertising, or no surveys, any more."""
UNPROVEN = 2
LOST = 2
"""How many people named a phone and proved none; how many at least lost the account that they chose of two."""
# The simulator draws its people from nine digits, so that no visitor of the demo ever meets a seeded chat.
ADDRESSES = range(5_000_000_000, 8_000_000_000)
"""Numbers of the seeded people's chats: none that a person of the simulator has."""
_SPREAD = 738_871_813  # coprime to their number: every person gets an address of their own


def address_of(customer_id: int) -> str:
    """The number of a seeded person's chat: ten digits."""
    return str(ADDRESSES[customer_id * _SPREAD % len(ADDRESSES)])


def scoped_name(customer_id: int, phone: str) -> str:
    """How WhatsApp calls a seeded person to one business alone."""
    country = "UA" if phone.startswith("+380") else "RU"
    return f"{country}.1349{customer_id * _SPREAD % 10**16:016d}"


def wants_offers(customer_id: int) -> bool:
    """Whether somebody lets us write of offers: four of five do."""
    return customer_id % 5 != 0


def accounts_of(
    random: Random, person: MadeUp, customer_id: int, *, joined: datetime, now: datetime, birthday: date | None
) -> tuple[tuple[Account, ...], bool]:
    """(their accounts, the first one first; whether they came by it). None for those who have only a card."""
    share = random.random()
    came_by_chat = share < CAME_BY_CHAT
    later = joined + (now - timedelta(hours=1) - joined) * random.random()
    if came_by_chat:
        steps = ["started", "language", "terms", "offers", "phone", "name", "birthday"]
        registered = joined
    elif share < CAME_BY_CHAT + JOINED_LATER and later - joined > timedelta(hours=1):
        # The shop knows the name already, and asks only for a birthday that it has not.
        steps = ["started", "language", "terms", "offers", "phone", *([] if birthday else ["birthday"])]
        registered = later.replace(microsecond=0)
    else:
        return (), False
    # What messengers differ in is drawn apart: what people do and buy is the same in each.
    own = Random(customer_id)
    where = own.random()
    channels: tuple[str, ...] = (WHATSAPP,) if where < WHATSAPP_ALONE else (TELEGRAM,)
    if WHATSAPP_ALONE <= where < BOTH:
        channels = (TELEGRAM, WHATSAPP) if own.random() < 0.5 else (WHATSAPP, TELEGRAM)
    moments = _moments(random, steps, registered, channels[0])
    ends_at = registered + (now - registered) * random.random() if random.random() < INACTIVE else None
    called = person.name.split()[0] if random.random() < 0.3 else person.name
    username = username_of(person, customer_id) if random.random() < 0.55 else None
    owner = _Owner(own, customer_id, person.phone, called, username)
    accounts = [owner.account(channels[0], moments, ends_at)]
    # A day later at the soonest, and a day before now at the latest: the second chat has its own beginning.
    again = registered + timedelta(days=1) + (now - registered) * own.random() * 0.9
    if len(channels) > 1 and again < now - timedelta(days=1):
        steps = ["started", "language", "terms", "offers", "phone", *([] if birthday else ["birthday"])]
        moments = _moments(own, steps, again.replace(microsecond=0), channels[1])
        accounts.append(owner.account(channels[1], moments))
        accounts[0].is_default = own.random() < 0.5
        accounts[1].is_default = not accounts[0].is_default
    for account in accounts:
        account.outs = tuple(_outs(own, account, now)) if wants_offers(customer_id) else ()
    return tuple(accounts), came_by_chat


def _moments(
    random: Random, steps: Sequence[str], registered: datetime, channel: str
) -> tuple[tuple[str, datetime], ...]:
    """The steps with their times, up to the last one; WhatsApp vouches for the phone, so nobody waits for it."""
    moments = [registered]
    for step, _ in pairwise(reversed(steps)):
        pause = random.randrange(4, 45)
        moments.append(moments[-1] - timedelta(seconds=0 if channel == WHATSAPP and step == "phone" else pause))
    return tuple(zip(steps, reversed(moments), strict=True))


@dataclass(frozen=True, slots=True)
class _Owner:
    """Whose accounts are made, and what they call themselves there."""

    own: Random
    id: int
    phone: str
    called: str
    username: str | None

    def account(
        self, channel: str, moments: tuple[tuple[str, datetime], ...], ends_at: datetime | None = None
    ) -> Account:
        if channel == TELEGRAM:
            reason = "gone" if self.own.random() < GONE else "blocked"
            return Account(TELEGRAM, address_of(self.id), self.called, self.username, moments, ends_at, reason)
        number = self.phone.removeprefix("+")
        # WhatsApp tells of nobody that they blocked us: what is sent does not arrive.
        told = Account(WHATSAPP, number, self.called, None, moments, ends_at, "gone", phone=self.phone)
        if self.own.random() < BY_OWN_NAME:
            told.address, told.alias = scoped_name(self.id, self.phone), number
        return told


def _outs(own: Random, account: Account, now: datetime) -> Iterator[OptOut]:
    """What somebody wants no more of in a chat: by the word, or by the button in the settings."""
    first, last = account.linked_at + timedelta(hours=1), (account.blocked_at or now) - timedelta(days=3)
    for topic, share in (("marketing", STOPPED), ("surveys", NO_SURVEYS)):
        chance, when, by_word = own.random(), own.random(), own.random() < 0.5
        if chance < share and first < last:
            at = (first + (last - first) * when).replace(microsecond=0)
            yield OptOut(at, topic, by_word=by_word and topic == "marketing")


def hide_numbers(made: Sequence[Seeded]) -> None:
    """A few people keep their number from us in WhatsApp: what they typed is on their card, and nobody proved it."""
    shy = [one for one in made if one.came_by_chat and [account.channel for account in one.accounts] == [WHATSAPP]]
    for one in shy[:UNPROVEN]:
        [account] = one.accounts
        account.address, account.alias = scoped_name(one.id, one.person.phone), None
        account.phone = None
        pause = timedelta(seconds=3)
        account.moments = tuple(
            (TYPED_PHONE, at + pause) if step == "phone" else (step, at) for step, at in account.moments
        )


def find_out(made: Sequence[Seeded]) -> None:
    """Who is gone is known by the first message that did not arrive: the news of the next purchase."""
    for one in made:
        for account in one.accounts:
            if account.blocked_at is not None and account.reason == "gone" and account.is_default:
                since = account.blocked_at
                account.lost = next((r for r in one.life.receipts if r.at >= since and r.kind == "sale"), None)
                if account.lost is None and account.channel == TELEGRAM:
                    account.reason = "blocked"


def lose_accounts(made: Sequence[Seeded]) -> None:
    """Let a few people have lost the account that they chose, so that their news go to the other one."""
    left = LOST
    for one in made:
        if not left or len(one.accounts) < 2 or any(account.blocked_at is not None for account in one.accounts):
            continue
        chosen = next(account for account in one.accounts if account.is_default)
        told = [out.at for account in one.accounts for out in account.outs]
        since = max(*(account.linked_at for account in one.accounts), *told)
        sales = [receipt for receipt in one.life.receipts if receipt.kind == "sale" and receipt.at > since]
        if len(sales) > 1:
            left -= 1
            chosen.lost = sales[-2]
            chosen.blocked_at, chosen.reason = sales[-2].at - timedelta(seconds=1), "gone"


async def write_accounts(made: Sequence[Seeded]) -> None:
    """COPY the accounts of a chunk, and what the journal has of what they may be used for; their ids are given."""
    columns = ["id", "channel", "address", "alias", "phone", "customer_id", "name", "username", "language"]
    columns += ["is_active", "inactive_reason", "inactive_at", "is_default", "created_at", "linked_at"]
    columns += ["takes_marketing", "takes_surveys"]
    rows = [_row(one, account) for one in made for account in (*one.accounts, *one.places)]
    await db.copy_rows("messenger_account", columns, rows)
    acts = sorted((act for one in made for act in _acts(one)), key=lambda act: act[0])
    columns = ["at", "actor_kind", "action", "subject_kind", "subject_id", "details"]
    await db.copy_rows("journal_entry", columns, acts)


def _row(one: Seeded, account: Account) -> tuple[Any, ...]:
    is_active = account.blocked_at is None
    ended = account.lost.at + timedelta(seconds=2) if account.lost else account.blocked_at
    refused = {out.topic for out in account.outs}
    return (
        account.id,
        account.channel,
        account.address,
        account.alias,
        account.phone,
        one.id,
        account.name,
        account.username,
        one.person.language,
        is_active,
        None if is_active else account.reason,
        ended,
        account.is_default,
        account.moments[0][1],
        account.linked_at,
        wants_offers(one.id) and "marketing" not in refused,
        "surveys" not in refused,
    )


def consents_of(one: Seeded, now: datetime) -> Iterator[tuple[Any, ...]]:
    """What somebody said in their chats about terms, offers and surveys, as rows, in the order of time."""
    said: list[tuple[datetime, str, bool, str]] = []
    for account in one.accounts:
        said.append((account.linked_at, "terms", True, account.channel))
        said.append((account.linked_at, "marketing", wants_offers(one.id), account.channel))
        said += [(out.at, out.topic, False, account.channel) for out in account.outs if is_withdrawn(one, out)]
    for at, topic, granted, channel in sorted(said, key=lambda row: row[0]):
        version = terms_of(at, now) if topic == "terms" else HOUSE_VERSION
        yield one.id, topic, granted, channel, f"{version} {one.person.language}", at


def is_withdrawn(one: Seeded, out: OptOut) -> bool:
    """A word in one chat says nothing of the others; a button does, unless another chat takes the topic still."""
    return not out.by_word and len([account for account in one.accounts if account.linked_at <= out.at]) == 1


def _acts(one: Seeded) -> Iterator[tuple[Any, ...]]:
    for account in one.accounts:
        for out in account.outs:
            details = db.to_json({"account": account.id, out.topic: False})
            yield out.at, "customer", "account.topics", "customer", one.id, details
            if is_withdrawn(one, out):
                details = db.to_json({"topic": out.topic})
                yield out.at, "customer", "consent.withdrawn", "customer", one.id, details
