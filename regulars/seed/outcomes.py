"""What became of what we said in the chats: sent, delivered, read, or refused and sent to the other messenger."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from loyalty import db
from loyalty.conversations.channels import CAPABILITIES, EMAIL, SMS, WHATSAPP
from loyalty.conversations.rules import Priority
from loyalty.surveys.rules import KIND
from regulars.seed.records import Account
from regulars.seed.told import Line

WINDOW = timedelta(hours=CAPABILITIES[WHATSAPP].window_hours)
UNTEMPLATED = frozenset({"tier_falling", "referral", "invited"})
"""Kinds that wait for an approved template: nothing of them goes out once somebody has been silent for a day."""
READ = 0.78
DELIVERED = 0.97
"""Shares of what WhatsApp takes, by adding up: read, or at least delivered."""
REPORTED_AFTER = timedelta(seconds=2)
ON_THE_AIR = timedelta(seconds=4)

Chat = tuple[Account, list[Line]]


def settle(chats: Sequence[Chat]) -> None:
    """Let fail what WhatsApp would not take, and say in a person's other chat what failed in one."""
    for account, lines in chats:
        if account.channel == WHATSAPP:
            _close_window(lines)
    for account, lines in chats:
        for line in lines:
            if line.reason is not None:
                _say_elsewhere(line, account, chats)


def _close_window(lines: list[Line]) -> None:
    heard_at = lines[0].at
    for number, line in enumerate(lines):
        if line.direction == "in":
            heard_at = line.at
        elif line.kind in UNTEMPLATED and line.at > heard_at + WINDOW:
            lines[number] = line._replace(reason="window_closed")


def _say_elsewhere(failed: Line, account: Account, chats: Sequence[Chat]) -> None:
    at = failed.at + REPORTED_AFTER
    for other, lines in chats:
        if other is not account and other.is_open(at):
            assert failed.dedupe_key is not None, "what the house tells has a key"
            lines.append(failed._replace(at=at, reason=None, stands_for=failed.dedupe_key, dedupe_key=None))
            lines.sort(key=lambda line: line.at)


async def write_messages(
    random: Random, said: Sequence[tuple[Line, Account, int]], *, first_id: int, now: datetime
) -> int:
    """COPY lines with their account and customer, numbered from `first_id` in their order; returns the next id."""
    failed: dict[str, int] = {}
    rows = []
    for number, (line, account, customer_id) in enumerate(said, first_id):
        instead_of, key = None, line.dedupe_key
        if line.stands_for:
            instead_of = failed[line.stands_for]
            key = f"instead:{instead_of}"
        elif line.reason is not None and key is not None:
            failed[key] = number
        if line.claim is not None:
            line.claim.message_id = number
        if line.mail is not None:
            line.mail.message_id = number
        rows.append(
            (
                number,
                account.id,
                customer_id,
                account.channel,
                line.direction,
                line.kind,
                "marketing" if line.mail is not None else "surveys" if line.kind == KIND else "service",
                line.content,
                line.priority.value,
                key,
                instead_of,
                _named(number, account, line),
                line.staff_id,
                line.at,
                line.reason,
                *_outcome(random, line, account, now),
            )
        )
    columns = ["id", "account_id", "customer_id", "channel", "direction", "kind", "topic", "content", "priority"]
    columns += [
        "dedupe_key",
        "instead_of_id",
        "external_id",
        "staff_id",
        "created_at",
        "reason",
        "due_at",
        "attempts",
        "status",
    ]
    await db.copy_rows("message", [*columns, "sent_at", "delivered_at", "read_at"], rows)
    return first_id + len(rows)


def _named(number: int, account: Account, line: Line) -> str | None:
    """What a messenger calls it; nothing of what it did not take."""
    if line.reason is not None:
        return None
    if account.channel == EMAIL:
        return f"<{number}@ladno.example>"
    return f"wamid.{number:026X}" if account.channel == WHATSAPP else str(number)


def _outcome(random: Random, line: Line, account: Account, now: datetime) -> tuple[Any, ...]:
    """How it went: due_at, attempts, status, sent_at, delivered_at, read_at."""
    if line.direction != "out":
        return None, 0, "received", None, None, None
    luck = random.random()
    if line.reason is not None:
        return line.at, 1, "failed", None, None, None
    sent_at = line.at + timedelta(milliseconds=200 + int(luck * 1000))
    if account.channel == SMS and sent_at + ON_THE_AIR < now:
        return line.at, 1, "delivered", sent_at, sent_at + ON_THE_AIR, None
    if account.channel != WHATSAPP:
        return line.at, 1, "sent", sent_at, None, None
    # Who is in the middle of a dialog reads what they are asked.
    is_reply = line.priority is Priority.REPLY
    delivered_at = sent_at + timedelta(seconds=1 if is_reply else 1 + int(luck * 40))
    read_at = delivered_at + timedelta(seconds=2 if is_reply else 20 + int(luck * 9000))
    if (is_reply or luck < READ) and read_at < now:
        return line.at, 1, "read", sent_at, delivered_at, read_at
    if luck < DELIVERED and delivered_at < now:
        return line.at, 1, "delivered", sent_at, delivered_at, None
    return line.at, 1, "sent", sent_at, None, None
