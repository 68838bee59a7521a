"""Linking the messenger account in which a member of staff is reminded, and letting go of it."""

import hmac
from datetime import datetime

from loyalty import db
from loyalty.errors import NotFound, Refused
from loyalty.staff.actions import write_journal
from loyalty.staff.rules import Actor, ActorKind, token_hash
from loyalty.tasks.queries import LinkedStaff, staff_in_chat
from loyalty.tasks.rules import CODE_LIFETIME, new_code

CODE = """
INSERT INTO staff_chat (staff_id, code_hash, code_expires_at) VALUES ($1, $2, $3)
ON CONFLICT (staff_id) DO UPDATE SET code_hash = EXCLUDED.code_hash, code_expires_at = EXCLUDED.code_expires_at
"""


@db.use_case
async def new_chat_code(staff_id: int, *, now: datetime) -> str:
    """A code that links a chat to this person, once, within CODE_LIFETIME; the one before it works no more.

    Nobody can read it again. Raises NotFound("staff") for an account that is shut, too.
    """
    if not await _works_here(staff_id):
        raise NotFound("staff")
    code = new_code()
    await db.execute(CODE, staff_id, token_hash(code), now + CODE_LIFETIME)
    return code


HOLDER = "SELECT staff_id FROM staff_chat WHERE code_hash = $1"
HELD = "SELECT code_hash, code_expires_at FROM staff_chat WHERE staff_id = $1 FOR NO KEY UPDATE"
LINK = """
UPDATE staff_chat SET account_id = $2, linked_at = $3, code_hash = NULL, code_expires_at = NULL WHERE staff_id = $1
"""


@db.use_case
async def link_chat(code: str, account_id: int, *, now: datetime) -> LinkedStaff:
    """Whoever writes this code in a chat is reminded there from now on; returns who that is. A code works once.

    The caller holds the chat. Raises Refused("link_code_is_wrong") for one that never was, was used, is too old, or is
    of an account that is shut; Refused("account_of_colleague") for a chat in which somebody else is reminded.
    """
    hashed = token_hash(code)
    staff_id: int | None = await db.fetch_value(HOLDER, hashed)
    # The account before its chat, as whoever shuts it does.
    if staff_id is None or not await _works_here(staff_id):
        raise Refused("link_code_is_wrong")
    row = await db.fetch_row(HELD, staff_id)
    # Read again behind the lock: of two who come with one code, the second finds it used.
    if row is None or row["code_hash"] is None or not hmac.compare_digest(row["code_hash"], hashed):
        raise Refused("link_code_is_wrong")
    if row["code_expires_at"] <= now:
        raise Refused("link_code_is_wrong")
    other = await db.fetch_value("SELECT staff_id FROM staff_chat WHERE account_id = $1", account_id)
    if other not in {None, staff_id}:
        raise Refused("account_of_colleague")
    await db.execute(LINK, staff_id, account_id, now)
    actor = Actor(ActorKind.STAFF, staff_id=staff_id)
    await write_journal(
        actor, "staff.chat_linked", subject_kind="staff", subject_id=staff_id, now=now, account=account_id
    )
    person = await staff_in_chat(account_id)
    assert person is not None
    return person


UNLINK = """
UPDATE staff_chat SET account_id = NULL, linked_at = NULL, code_hash = NULL, code_expires_at = NULL
FROM staff_chat before WHERE staff_chat.staff_id = $1 AND before.staff_id = $1 RETURNING before.account_id
"""


@db.use_case
async def unlink_chat(staff_id: int, *, actor: Actor, now: datetime) -> int | None:
    """Remind somebody in no chat any more; a code that waits works no more. Returns the account; twice is once.

    What waits to be sent there is not this room's: `conversations.actions.reminding.stop_reminding` does both.
    """
    account_id: int | None = await db.fetch_value(UNLINK, staff_id)
    if account_id is not None:
        await write_journal(
            actor, "staff.chat_unlinked", subject_kind="staff", subject_id=staff_id, now=now, account=account_id
        )
    return account_id


async def _works_here(staff_id: int) -> bool:
    """Whether this is an open account, which stays open until the transaction ends."""
    return bool(await db.fetch_value("SELECT is_active FROM staff_member WHERE id = $1 FOR SHARE", staff_id))
