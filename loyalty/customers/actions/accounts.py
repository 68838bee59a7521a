"""Changing where people are written to: their messengers."""

from collections.abc import Mapping
from datetime import datetime

from loyalty import db
from loyalty.customers.actions.addresses import SPEAK, count_reach
from loyalty.customers.actions.phones import keep_vouched_phone
from loyalty.customers.actions.profile import lock_customer, set_consent
from loyalty.customers.queries import ACCOUNT_COLUMNS, IS_MESSENGER, MessengerAccountView, messenger_account
from loyalty.customers.rules import MESSENGERS, Topic, clean_text
from loyalty.errors import NotFound
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor
from loyalty.webhooks.actions.deliveries import tell
from loyalty.webhooks.rules import EventType

# The account of this name; else one that was known by the other name alone, or by this one as its other name.
SAME_ACCOUNT = """
SELECT id, customer_id FROM messenger_account
WHERE channel = $1 AND (address IN ($2, $3) OR alias IN ($2, $3)) ORDER BY address = $2 DESC, id LIMIT 1
"""
# What the messenger leaves out stays as it was; another name that belongs to somebody else stays theirs.
KEEP_ACCOUNT = f"""
UPDATE messenger_account SET name = coalesce(nullif($2, ''), name), username = $3, phone = coalesce($4, phone),
    address = CASE WHEN $6::text IS NULL THEN address ELSE $5 END,
    alias = CASE WHEN EXISTS (SELECT FROM messenger_account other WHERE other.channel = messenger_account.channel
        AND other.id <> $1 AND $6 IN (other.address, other.alias)) THEN alias ELSE coalesce($6, alias) END
WHERE id = $1 RETURNING {ACCOUNT_COLUMNS}
"""
ADD_ACCOUNT = f"""
INSERT INTO messenger_account (channel, address, name, username, language, is_active, is_default, created_at, alias,
    phone)
VALUES ($1, $2, $3, $4, $5, true, false, $6, $7, $8)
ON CONFLICT (channel, address) WHERE channel <> 'email' DO UPDATE SET name = EXCLUDED.name, username = EXCLUDED.username
RETURNING {ACCOUNT_COLUMNS}
"""


@db.use_case
async def know_account(
    channel: str,
    address: str,
    *,
    name: str,
    username: str | None,
    language: str,
    now: datetime,
    alias: str | None = None,
    phone: str | None = None,
) -> MessengerAccountView:
    """The account with this address, made when it is new; what it calls itself is kept up to date.

    `alias` is another name that the messenger has for it: an account that was known by that one is the same and goes
    by `address` from now on. `phone`, in E.164, is one that the messenger vouches for: it proves the number that its
    person once only named.
    """
    called = clean_text(name)[:100]
    same = await db.fetch_row(SAME_ACCOUNT, channel, address, alias)
    if same is not None:
        owner: int | None = same["customer_id"]
        if owner is not None and phone is not None:
            await lock_customer(owner)
        row = await db.fetch_row(KEEP_ACCOUNT, same["id"], called, username, phone, address, alias)
        if owner is not None and phone is not None:
            await keep_vouched_phone(owner, phone, now=now)
    else:
        row = await db.fetch_row(ADD_ACCOUNT, channel, address, called, username, language, now, alias, phone)
    assert row is not None
    return MessengerAccountView(**row)


@db.use_case
async def link_account(account_id: int, customer_id: int, *, actor: Actor, now: datetime) -> None:
    """Make an account a person's; their first one becomes the one we write to. Twice is once.

    Whose it was before, loses it: an account has one person.
    """
    before = await messenger_account(account_id)
    if before.customer_id == customer_id:
        return
    owners = sorted({customer_id, before.customer_id or customer_id})
    for owner in owners:
        await lock_customer(owner)
    await db.execute(
        "UPDATE messenger_account SET customer_id = $2, linked_at = $3, is_active = true, inactive_reason = NULL,"
        " inactive_at = NULL, is_default = NOT EXISTS"
        " (SELECT FROM messenger_account WHERE customer_id = $2 AND is_default) WHERE id = $1",
        account_id,
        customer_id,
        now,
    )
    for owner in owners:
        await db.execute(FIRST_BECOMES_DEFAULT, owner)
    await count_reach(owners)
    await write_journal(
        actor, "account.linked", subject_kind="customer", subject_id=customer_id, now=now, account=account_id
    )


@db.use_case
async def unlink_account(account_id: int, *, actor: Actor, now: datetime) -> None:
    """Take an account from its person: nothing is sent there any more. Twice is once.

    Another account of theirs becomes the one we write to.
    """
    before = await messenger_account(account_id)
    if before.customer_id is None:
        return
    await lock_customer(before.customer_id)
    await db.execute(
        "UPDATE messenger_account SET customer_id = NULL, linked_at = NULL, is_default = false WHERE id = $1",
        account_id,
    )
    await db.execute(FIRST_BECOMES_DEFAULT, before.customer_id)
    await count_reach([before.customer_id])
    await write_journal(
        actor, "account.unlinked", subject_kind="customer", subject_id=before.customer_id, now=now, account=account_id
    )


# The person's oldest messenger that can be written to, unless there is a default already.
FIRST_BECOMES_DEFAULT = f"""
UPDATE messenger_account SET is_default = true
WHERE id = (SELECT id FROM messenger_account WHERE customer_id = $1 AND {IS_MESSENGER} ORDER BY is_active DESC, id
    LIMIT 1)
    AND NOT EXISTS (SELECT FROM messenger_account WHERE customer_id = $1 AND is_default)
"""


@db.use_case
async def make_default(account_id: int, *, actor: Actor, now: datetime) -> None:
    """Of a person's messengers, write to this one. Raises NotFound("account") for one that is nobody's, or is none."""
    chosen = await messenger_account(account_id)
    if chosen.customer_id is None or chosen.channel not in MESSENGERS:
        raise NotFound("account")
    await lock_customer(chosen.customer_id)
    if chosen.is_default:
        return
    # The base allows one default a person at any moment: the old one goes first.
    await db.execute(
        "UPDATE messenger_account SET is_default = false WHERE customer_id = $1 AND is_default", chosen.customer_id
    )
    await db.execute("UPDATE messenger_account SET is_default = true WHERE id = $1", account_id)
    await write_journal(
        actor, "account.default", subject_kind="customer", subject_id=chosen.customer_id, now=now, account=account_id
    )


@db.use_case
async def set_account_active(account_id: int, *, is_active: bool, reason: str = "blocked", now: datetime) -> None:
    """Keep whether an account can be written to: it blocked us or is gone, or took that back. Twice is once."""
    known = await messenger_account(account_id)
    if known.is_active == is_active:
        return
    if known.customer_id is not None:
        await lock_customer(known.customer_id)
    await db.execute(
        "UPDATE messenger_account SET is_active = $2, inactive_reason = $3, inactive_at = $4 WHERE id = $1",
        account_id,
        is_active,
        None if is_active else reason,
        None if is_active else now,
    )
    if known.customer_id is not None:
        await count_reach([known.customer_id])


@db.use_case
async def set_topics(
    account_id: int,
    *,
    marketing: bool | None = None,
    surveys: bool | None = None,
    service: bool | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """What may be written to an account, by topic; None leaves a topic as it is. Twice is once.

    Whose account it is keeps their consents: what is changed here is whether they count in this chat. Works for an
    account that is nobody's, too. Raises NotFound("account").
    """
    before = await messenger_account(account_id)
    if before.customer_id is not None:
        await lock_customer(before.customer_id)
        before = await messenger_account(account_id)
    wanted = {
        "service": (before.takes_service, service),
        "marketing": (before.takes_marketing, marketing),
        "surveys": (before.takes_surveys, surveys),
    }
    changed = {topic: now_on for topic, (was_on, now_on) in wanted.items() if now_on is not None and now_on != was_on}
    if not changed:
        return
    await db.execute(
        "UPDATE messenger_account SET takes_service = coalesce($2, takes_service), takes_marketing ="
        " coalesce($3, takes_marketing), takes_surveys = coalesce($4, takes_surveys) WHERE id = $1",
        account_id,
        service,
        marketing,
        surveys,
    )
    kind, subject = ("account", account_id) if before.customer_id is None else ("customer", before.customer_id)
    await write_journal(
        actor, "account.topics", subject_kind=kind, subject_id=subject, now=now, account=account_id, **changed
    )


@db.use_case
async def answer_topics(
    account_id: int,
    answers: Mapping[Topic, bool],
    *,
    source: str,
    text_version: str,
    actor: Actor,
    now: datetime,
) -> None:
    """A person says whether they want to read of marketing or surveys in this chat: kept there and as a consent.

    A no withdraws the consent unless another messenger of theirs takes the topic still.
    """
    marketing, surveys = answers.get(Topic.MARKETING), answers.get(Topic.SURVEYS)
    await set_topics(account_id, marketing=marketing, surveys=surveys, actor=actor, now=now)
    person = (await messenger_account(account_id)).customer_id
    if person is None:
        return
    takes = await db.fetch(
        f"SELECT takes_marketing, takes_surveys FROM messenger_account WHERE customer_id = $1 AND {IS_MESSENGER}",
        person,
    )
    for topic, granted in answers.items():
        if granted or not any(row[f"takes_{topic.value}"] for row in takes):
            await set_consent(
                person, topic, granted=granted, source=source, text_version=text_version, actor=actor, now=now
            )


@db.use_case
async def set_language(account_id: int, language: str, *, actor: Actor, now: datetime) -> None:
    """The language an account reads; its person's too, once it has one."""
    known = await messenger_account(account_id)
    if known.customer_id is not None:
        await lock_customer(known.customer_id)
        await db.execute(
            "UPDATE customer SET language = $2, updated_at = $3 WHERE id = $1", known.customer_id, language, now
        )
        await write_journal(
            actor, "customer.changed", subject_kind="customer", subject_id=known.customer_id, now=now,
            fields=["language"],
        )  # fmt: skip
        changed = {"customer_id": known.customer_id, "fields": ["language"]}
        await tell(EventType.CUSTOMER_UPDATED, changed, now=now)
        await db.execute(SPEAK, [known.customer_id])
    await db.execute("UPDATE messenger_account SET language = $2 WHERE id = $1", account_id, language)
