"""The shop's people in the chats of the last days: who asked what, who took it over, what they told each other.

Everything is done by the panel's own actions, each as of its moment, in chats that have been silent for days.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.texts import say
from loyalty import db
from loyalty.campaigns.actions.drafting import Chosen, add_draft
from loyalty.campaigns.actions.feeding import feed
from loyalty.campaigns.actions.starting import launch_campaign, start_campaign
from loyalty.campaigns.rules.drafts import CampaignDraft, acknowledgement
from loyalty.campaigns.rules.texts import Words
from loyalty.conversations.actions.staff import add_note, assign, close, write_to
from loyalty.conversations.channels import TELEGRAM, WHATSAPP
from loyalty.conversations.content import Content
from loyalty.staff.rules import Actor, ActorKind
from regulars.seed.ready import PUMPKIN
from regulars.seed.told import menu_of
from regulars.seed.words import OFFER

OLGA, MARINA, DASHA = "olga@ladno.example", "marina@ladno.example", "dasha@ladno.example"
WROTE_TO_ALL = timedelta(days=5)
WRITTEN_TO = 40


@dataclass(frozen=True, slots=True)
class Act:
    """Something in a chat, so long ago. does: said (by its person), or an action of `who`, of the panel."""

    ago: timedelta
    does: str
    text: str = ""
    who: str = ""


def _minutes(number: int) -> timedelta:
    return timedelta(minutes=number)


CHATS = (
    (
        TELEGRAM,
        Act(_minutes(185), "said", "Здравствуйте! Хотим арендовать зал в Парке Горького на день рождения, 15 человек"),
        Act(_minutes(181), "takes", who=MARINA),
        Act(
            _minutes(172), "writes", "Здравствуйте, {name}! С удовольствием. На какой день и на сколько часов?", MARINA
        ),
        Act(_minutes(14), "said", "12 декабря, с шести до девяти. И можно свой торт?"),
    ),
    (
        WHATSAPP,
        Act(_minutes(320), "said", "Добрый день! Списали бонусы, а потом вернули напиток. Они пропали?"),
        Act(_minutes(304), "notes", "Возврат пробили как новую продажу на Покровке, Соня исправит до вечера.", OLGA),
        Act(_minutes(290), "writes", "{name}, добрый день! Видим возврат, бонусы вернём на карту сегодня.", OLGA),
        Act(_minutes(283), "said", "Спасибо вам большое!"),
        Act(_minutes(280), "reads", who=OLGA),
    ),
    (
        WHATSAPP,
        Act(_minutes(68), "said", "А на безглютеновую выпечку акция тоже действует?"),
        Act(_minutes(60), "notes", "Даша, ответь, пожалуйста: акция только на напитки, но булочку подарим.", MARINA),
        Act(_minutes(59), "takes", who=DASHA),
    ),
    (
        TELEGRAM,
        Act(_minutes(1640), "said", "Подскажите, у вас есть подарочные карты на 3000?"),
        Act(_minutes(1625), "writes", "Есть, на любой кассе: 1000, 3000 и 5000.", DASHA),
        Act(_minutes(1610), "said", "Отлично, зайду"),
        Act(_minutes(1600), "closes", who=DASHA),
    ),
    (
        WHATSAPP,
        Act(_minutes(2710), "said", "Оставила наушники у окна на Тверской, белые. Не находили?"),
        Act(_minutes(2690), "notes", "Тимур: лежат в ящике под кассой.", DASHA),
        Act(_minutes(2685), "writes", "Нашли! Ждут вас на кассе, спросите Тимура.", DASHA),
        Act(_minutes(2600), "closes", who=MARINA),
    ),
)
"""What is said in chats of the last days, the messenger first."""

# People in Russian who came long ago and can be written to, whose chats have rested for days; each once.
RESTING = """
SELECT a.id, c.name FROM messenger_account a JOIN customer c ON c.id = a.customer_id
    JOIN conversation v ON v.account_id = a.id
WHERE a.channel = $1 AND a.is_active AND a.is_default AND c.language = 'ru' AND v.state = 'bot'
    AND v.last_message_at < $2 ORDER BY v.last_message_at DESC, a.id LIMIT $3
"""


async def converse(staff: Mapping[str, int], now: datetime) -> None:
    """Let the chats of the last days happen; there are fewer of them where there are fewer people."""
    for channel in (TELEGRAM, WHATSAPP):
        told = [acts for there, *acts in CHATS if there == channel]
        rows = await db.fetch(RESTING, channel, now - timedelta(days=2), len(told))
        for row, acts in zip(rows, told, strict=False):
            for act in acts:
                await _happen(row["id"], row["name"].split()[0], act, staff, now - act.ago)
    await arrive(now)


async def _happen(account_id: int, name: str, act: Act, staff: Mapping[str, int], at: datetime) -> None:
    if act.does == "said":
        await hear(account_id, act.text, at)
        return
    actor = Actor(ActorKind.STAFF, staff[act.who])
    key, text = f"seed-{account_id}-{at:%d%H%M}", act.text.replace("{name}", name)
    if act.does == "writes":
        await write_to(account_id, text, key=key, actor=actor, now=at)
    elif act.does == "notes":
        await add_note(account_id, text, key=key, actor=actor, now=at)
    elif act.does == "takes":
        await assign([account_id], actor.staff_id, seen=None, actor=actor, now=at)
    elif act.does == "closes":
        await close([account_id], actor=actor, now=at)
    else:
        await db.execute("UPDATE conversation SET unread = 0, waiting_since = NULL WHERE account_id = $1", account_id)


HEAR = """
INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, created_at, attempts)
SELECT id, customer_id, channel, 'in', 'text', jsonb_build_object('text', $2::text), 'received', 0, $3, 0
FROM messenger_account WHERE id = $1
"""
SAY_PASSED = """
INSERT INTO message (account_id, customer_id, channel, direction, kind, content, status, priority, created_at, due_at,
    attempts)
SELECT id, customer_id, channel, 'out', 'reply', $2::jsonb, 'queued', 0, $3, $3, 0 FROM messenger_account WHERE id = $1
"""
WAIT = """
UPDATE conversation SET last_message_at = $2, heard_at = $2, state = 'open', unread = unread + 1,
    waiting_since = coalesce(waiting_since, $2) WHERE account_id = $1
RETURNING staffed_at IS NULL AND unread = 1 AS is_new
"""


async def hear(account_id: int, text: str, at: datetime) -> None:
    """Let somebody write what people are to answer; the bot says once that it passed it on."""
    await db.execute(HEAR, account_id, text, at)
    if await db.fetch_value(WAIT, account_id, at):
        passed = Content(text=say("ru", "support.passed"), menu=menu_of("ru"))
        await db.execute(SAY_PASSED, account_id, db.to_json(passed.to_body()), at)


# Of Telegram nothing more is known; WhatsApp tells of most that they were read, and charges for templates alone: for
# what is written first a day after their last word.
ARRIVE = """
UPDATE message SET attempts = 1,
    units = (channel <> 'whatsapp' OR NOT EXISTS (SELECT FROM conversation v WHERE v.account_id = message.account_id
        AND v.heard_at BETWEEN created_at - INTERVAL '1 day' AND created_at))::int,
    sent_at = created_at + INTERVAL '1 second',
    external_id = CASE channel WHEN 'whatsapp' THEN 'wamid.' || upper(lpad(to_hex(id), 26, '0')) ELSE id::text END,
    status = CASE WHEN channel <> 'whatsapp' OR created_at > $1 THEN 'sent' WHEN id % 4 = 0 THEN 'delivered'
        ELSE 'read' END,
    delivered_at = CASE WHEN channel = 'whatsapp' AND created_at <= $1 THEN created_at + INTERVAL '3 seconds' END,
    read_at = CASE WHEN channel = 'whatsapp' AND created_at <= $1 AND id % 4 <> 0
        THEN created_at + INTERVAL '70 seconds' END
WHERE status = 'queued'
"""
# What a turn, or whoever closed a chat, said last; everything else says so by itself.
LAST = """
UPDATE conversation SET last_message_at = last.at FROM (SELECT account_id, max(created_at) AS at FROM message
    WHERE created_at > $1 GROUP BY account_id) last
WHERE last.account_id = conversation.account_id AND last.at > last_message_at
"""


async def arrive(now: datetime) -> None:
    """Let everything in the outbox have been sent."""
    await db.execute(ARRIVE, now - _minutes(2))
    await db.execute(LAST, now - WROTE_TO_ALL - timedelta(days=1))


LET_US = """
SELECT a.customer_id AS id FROM messenger_account a JOIN customer c ON c.id = a.customer_id
    JOIN conversation v ON v.account_id = a.id
WHERE c.language = 'ru' AND a.is_active AND a.is_default AND a.takes_marketing AND v.last_message_at < $1
    AND (SELECT granted FROM consent WHERE customer_id = c.id AND topic = 'marketing' ORDER BY id DESC LIMIT 1)
ORDER BY a.id LIMIT $2
"""
# Some who cannot be written to are of the audience, too: the campaign says why they were left out.
OUT_OF_REACH = """
SELECT f.customer_id AS id FROM customer_facts f WHERE NOT f.is_hidden AND NOT EXISTS (SELECT FROM messenger_account a
    WHERE a.customer_id = f.customer_id AND a.is_active AND a.channel IN ('telegram', 'whatsapp'))
ORDER BY 1 LIMIT $1
"""
# The line broke in the middle: nobody knows whether these arrived, and advertising is not sent again.
LOST = """
UPDATE message SET status = 'unknown', reason = 'no_answer', sent_at = NULL, delivered_at = NULL, read_at = NULL,
    external_id = NULL WHERE kind = 'bulk' AND id % 13 = 4
"""


async def write_to_all(author_id: int, now: datetime) -> None:
    """Write to some of those who let us, a few days ago; of a few it is unknown whether it arrived."""
    at = (now - WROTE_TO_ALL).replace(hour=9, minute=0, second=0, microsecond=0)
    ids = {row["id"] for row in await db.fetch(LET_US, at, WRITTEN_TO)}
    if not ids:
        await arrive(now)
        return
    ids |= {row["id"] for row in await db.fetch(OUT_OF_REACH, WRITTEN_TO // 4)}
    template = await db.fetch_value("SELECT id FROM message_template WHERE name = $1", PUMPKIN)
    words = Words({"ru": OFFER}, template=template)
    draft, chosen = CampaignDraft("Тыквенный раф вернулся", words), Chosen(ids=tuple(sorted(ids)))
    author, channels = Actor(ActorKind.STAFF, author_id), (TELEGRAM, WHATSAPP)
    campaign_id = await add_draft(draft, chosen, key="offer", actor=author, now=at)
    await launch_campaign(campaign_id, acknowledgement("ru"), working=channels, actor=author, now=at)
    await start_campaign(campaign_id, now=at)
    while await feed(campaign_id, now=at):
        pass
    await arrive(now)
    await db.execute(LOST)
    # It sees that everything is settled.
    await feed(campaign_id, now=at + timedelta(minutes=1))
