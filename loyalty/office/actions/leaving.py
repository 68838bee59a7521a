"""Shutting the account of somebody who leaves, with what hangs on it in other rooms."""

from datetime import datetime

from loyalty import db
from loyalty.conversations.actions.reminding import stop_reminding
from loyalty.staff.actions import disable
from loyalty.staff.rules import Actor


@db.use_case
async def shut_account(staff_id: int, *, actor: Actor, now: datetime) -> None:
    """Shut an account, and let go of the chat in which its person was reminded. Twice is once.

    Their tasks need nothing: whoever looks finds them among nobody's, and they are theirs again once the account is
    open again, unless somebody has taken them. The chat must be linked anew.
    Raises NotFound("staff"), Refused("last_owner"), Refused("own_account_stays").
    """
    await disable(staff_id, actor=actor, now=now)
    await stop_reminding(staff_id, actor=actor, now=now)
