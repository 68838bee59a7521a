"""Messages to many of the last months: who got them, who was drawn not to, and what they did then.

What a message brings is lived, not written down: who reads comes once more, or stays away, and buys by the shop's own
rules. What the reports say of it is counted from those lives like from any others.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import TYPE_CHECKING

from loyalty import db
from loyalty.bonuses.actions.once_only import Gift
from loyalty.bonuses.rules import Source
from loyalty.campaigns.actions.reporting import report_campaign
from loyalty.campaigns.queries.costs import message_prices
from loyalty.campaigns.queries.reach import APART
from loyalty.conversations.channels import TELEGRAM
from regulars.seed.records import Account

if TYPE_CHECKING:
    from regulars.seed.life import Life, Seeded

FOLLOWED = 0.16
REPLIED = 0.05
"""Shares of those who got one: who opened its link, who wrote back."""
HOURS = (8, 9, 10, 11, 13, 14, 16, 17, 18)
"""When people come who come because of it, by the clock in Greenwich."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to many, so many days ago. texts, label: by language; url: where its button leads.

    control_bp: the share drawn not to get it. bonus: hundredths that come with it. brings: the share of its readers who
    come once more for it; puts_off: the share of visits that do not happen because of it. other: a second wording, if
    it has one, and other_brings what that one's readers do.
    """

    name: str
    texts: Mapping[str, str]
    label: Mapping[str, str]
    url: str
    days_ago: int
    window_days: int
    control_bp: int = 5_000
    seed: int = 1
    bonus: int = 0
    bonus_days: int = 0
    brings: float = 0.0
    puts_off: float = 0.0
    other: Mapping[str, str] = field(default_factory=dict)
    other_brings: float = 0.0

    @property
    def wordings(self) -> tuple[Mapping[str, str], ...]:
        """Its texts, in the order of their letters."""
        return (self.texts, self.other) if self.other else (self.texts,)


LETTERS = (
    Letter(
        "Эспрессо-тоник: первое лето",
        {
            "ru": "Варим эспрессо-тоник. Заходите попробовать: 150 бонусов на него уже у вас.",
            "uk": "Варимо еспресо-тонік. Заходьте скуштувати: 150 бонусів на нього вже у вас.",
            "en": "We brew espresso tonic now. Come and try it: 150 bonuses for it are yours already.",
        },
        {"ru": "Что в меню", "uk": "Що в меню", "en": "The menu"},
        "https://ladno.example/menu",
        days_ago=80,
        window_days=14,
        seed=11,
        bonus=150_00,
        bonus_days=14,
        brings=0.35,
        other={
            "ru": "Угощаем: 150 бонусов на эспрессо-тоник ждут вас две недели. Когда зайдёте?",
            "uk": "Пригощаємо: 150 бонусів на еспресо-тонік чекають на вас два тижні. Коли завітаєте?",
            "en": "Our treat: 150 bonuses for an espresso tonic wait for you for two weeks. When will you come?",
        },
        other_brings=0.9,
    ),
    Letter(
        "Прощаемся с десертами",
        {
            "ru": "С понедельника печём только хлеб: десертов больше не будет. Кофе остаётся.",
            "uk": "З понеділка печемо лише хліб: десертів більше не буде. Кава лишається.",
            "en": "From Monday on we bake bread alone, and no more desserts. The coffee stays.",
        },
        {"ru": "Наш хлеб", "uk": "Наш хліб", "en": "Our bread"},
        "https://ladno.example/bread",
        days_ago=62,
        window_days=30,
        seed=23,
        puts_off=0.6,
    ),
    Letter(
        "Новые стаканы",
        {
            "ru": "Стаканы теперь из переработанной бумаги. Кофе тот же.",
            "uk": "Склянки тепер із переробленого паперу. Кава та сама.",
            "en": "Our cups are of recycled paper now. The coffee is the same.",
        },
        {"ru": "Почему", "uk": "Чому", "en": "Why"},
        "https://ladno.example/cups",
        days_ago=26,
        window_days=7,
        seed=37,
    ),
)


@dataclass(frozen=True, slots=True)
class SentLetter:
    """A letter with its campaign, the moment it began, and the customers who were drawn not to get it.

    others: those who drew its second wording, if they get any.
    """

    letter: Letter
    id: int
    at: datetime
    drawn: frozenset[int]
    others: frozenset[int] = frozenset()

    @property
    def until(self) -> datetime:
        """The end of its window."""
        return self.at + timedelta(days=self.letter.window_days)


@dataclass(slots=True)
class Mail:
    """One person of a letter's audience. reason: why they were left out. message_id is numbered at the end."""

    sent: SentLetter
    customer_id: int
    account: Account | None = None
    reason: str | None = None
    is_drawn: bool = False
    variant: int = 0
    message_id: int = 0
    luck: Random = field(default_factory=Random)

    @property
    def is_read(self) -> bool:
        """It went to them."""
        return self.reason is None and not self.is_drawn


BEGIN = """
INSERT INTO campaign (key, name, topic, texts, channels, look, state, acknowledged_version, acknowledged_language,
    acknowledged_text, staff_id, created_at, resumed_at, started_at, starts_at, finished_at, counted_at, resumed_from,
    place, total, skipped, queued, sent, delivered, read, failed, unknown, cancelled, buttons, control_bp, seed,
    window_days, bonus, bonus_days, zone, prices, other_texts)
VALUES ($1, $2, 'marketing', $3::jsonb, 'telegram', '{}', 'finished', 1, 'ru', $4, $5, $6::timestamptz, $6, $6, $6,
    $6::timestamptz + INTERVAL '4 minutes', $6::timestamptz + INTERVAL '5 minutes', 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    $7::jsonb, $8, $9, $10, $11, $12, 'Europe/Moscow', $13::jsonb, $14::jsonb)
RETURNING id
"""
# As an audience is drawn (campaigns/queries/reach.py).
DRAWN = """
SELECT id FROM generate_series(1, $1::bigint) id
WHERE (hashint8extended(id, $2::bigint) & 9223372036854775807) % 10000 < $3
"""
# So are their wordings: by a lot of its own.
OTHERS = """
SELECT id FROM generate_series(1, $1::bigint) id
WHERE (hashint8extended(id, $2::bigint + $3::bigint) & 9223372036854775807) % 2 = 1
"""
COUNT = """
UPDATE campaign SET total = found.total, skipped = found.skipped, control = found.control, sent = found.sent,
    unknown = found.unknown, place = found.place
FROM (SELECT count(*)::int AS total, (count(*) FILTER (WHERE r.state = 'skipped'))::int AS skipped,
        (count(*) FILTER (WHERE r.state = 'control'))::int AS control,
        (count(*) FILTER (WHERE m.status = 'sent'))::int AS sent,
        (count(*) FILTER (WHERE m.status = 'unknown'))::int AS unknown, coalesce(max(r.customer_id), 0) AS place
    FROM recipient r LEFT JOIN message m ON m.id = r.message_id WHERE r.campaign_id = $1) found
WHERE id = $1
"""


async def begin_letters(customers: int, author_id: int, acknowledged: str, *, now: datetime) -> tuple[SentLetter, ...]:
    """Write the campaigns of the letters down, and draw who does not get them."""
    begun, prices = [], await message_prices("marketing", 0)
    for letter in LETTERS:
        at = (now - timedelta(days=letter.days_ago)).replace(hour=9, minute=0, second=0, microsecond=0)
        button = {"kind": "link", "labels": dict(letter.label), "url": letter.url}
        campaign_id = await db.fetch_value(
            BEGIN,
            f"letter:{letter.seed}",
            letter.name,
            db.to_json(dict(letter.texts)),
            acknowledged,
            author_id,
            at,
            db.to_json([button]),
            letter.control_bp,
            letter.seed,
            letter.window_days,
            letter.bonus,
            letter.bonus_days,
            db.to_json(prices),
            db.to_json([dict(letter.other)]) if letter.other else None,
        )
        rows = await db.fetch(DRAWN, customers, letter.seed, letter.control_bp)
        second = await db.fetch(OTHERS, customers, letter.seed, APART) if letter.other else []
        drawn, others = (frozenset(row["id"] for row in some) for some in (rows, second))
        begun.append(SentLetter(letter, campaign_id, at, drawn, others))
    return tuple(begun)


def mail_of(
    letters: Sequence[SentLetter], customer_id: int, *, joined: datetime, accounts: Sequence[Account], agrees: bool
) -> list[Mail]:
    """What of these letters concerns somebody: they were customers then. agrees: they let us write of offers."""
    found = []
    for sent in letters:
        if joined + timedelta(days=1) > sent.at:
            continue
        mail = Mail(sent, customer_id, luck=Random(f"{sent.letter.seed}:{customer_id}"))
        there = [one for one in accounts if one.channel == TELEGRAM and one.linked_at <= sent.at]
        open_ = [one for one in there if one.is_open(sent.at)]
        if not there:
            mail.reason = "no_account"
        elif not open_:
            mail.reason = "blocked"
        elif not agrees:
            mail.reason = "no_consent"
        elif any(out.topic == "marketing" and out.at <= sent.at for one in open_ for out in one.outs):
            mail.reason = "not_taken"
        else:
            mail.account, mail.is_drawn = open_[0], customer_id in sent.drawn
            mail.variant = int(mail.is_read and customer_id in sent.others)
        found.append(mail)
    return found


def live_with(life: "Life") -> None:
    """Let a life take what its letters bring: the bonus at once, and for some a visit more in the days after."""
    for mail in life.mail:
        if not mail.is_read:
            continue
        letter, at = mail.sent.letter, mail.sent.at
        if letter.bonus:
            key = f"campaign:{mail.sent.id}:{life.customer_id}"
            gift = Gift(letter.bonus, "campaign", key, Source.CAMPAIGN, letter.bonus_days)
            life.plan(at + timedelta(minutes=5), partial(_take, life, gift))
        if mail.luck.random() < (letter.other_brings if mail.variant else letter.brings):
            day = at + timedelta(days=mail.luck.randrange(1, letter.window_days))
            life.plan(day.replace(hour=mail.luck.choice(HOURS), minute=mail.luck.randrange(60)), life.come)


def stays_away(life: "Life", at: datetime) -> bool:
    """Whether somebody does not come this time, because of what they read."""
    return any(
        mail.is_read and mail.sent.at < at < mail.sent.until and mail.luck.random() < mail.sent.letter.puts_off
        for mail in life.mail
    )


def _take(life: "Life", gift: Gift, at: datetime) -> None:
    life.give(at, gift)


def followed(mail: Mail) -> Iterator[tuple[datetime, int]]:
    """When somebody opened the link for the first time, and how often they did; drawn apart from what they bought."""
    luck = Random(f"link {mail.sent.id}:{mail.customer_id}")
    if mail.is_read and luck.random() < FOLLOWED:
        yield mail.sent.at + timedelta(minutes=luck.randrange(2, 2000)), luck.choice((1, 1, 1, 2, 3))


async def write_recipients(made: "Sequence[Seeded]") -> None:
    """COPY who was of the letters' audiences, and who followed their links. The messages are written."""
    mails = [mail for one in made for mail in one.life.mail]
    await db.copy_rows(
        "recipient",
        ["campaign_id", "customer_id", "state", "reason", "account_id", "message_id", "variant"],
        [
            (
                mail.sent.id,
                mail.customer_id,
                "skipped" if mail.reason else "control" if mail.is_drawn else "done",
                mail.reason,
                mail.account.id if mail.account else None,
                mail.message_id if mail.is_read else None,
                mail.variant,
            )
            for mail in mails
        ],
    )
    await db.copy_rows(
        "campaign_click",
        ["campaign_id", "customer_id", "button", "first_at", "clicks"],
        [(mail.sent.id, mail.customer_id, 0, at, clicks) for mail in mails for at, clicks in followed(mail)],
    )


async def count_letters(letters: Sequence[SentLetter], *, now: datetime) -> None:
    """Count how the letters stand and what came of them, as the jobs would have."""
    for sent in letters:
        await db.execute(COUNT, sent.id)
        await report_campaign(sent.id, now=now)
