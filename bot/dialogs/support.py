"""Writing to people: whatever no dialog understands is passed to staff, and the bot says so."""

from bot.dialogs.base import Dialog, Reply, Turn, said


async def invite(turn: Turn) -> Reply:
    """How to ask a question."""
    return Reply((said(turn.say("support.invite"), menu=turn.menu()),))


async def pass_on(turn: Turn) -> Reply:
    """Pass on what was written. Said once: while staff are waited for, or answer, the bot keeps out of the way."""
    if turn.is_waiting or turn.is_staffed:
        return Reply(waiting=True)
    return Reply((said(turn.say("support.passed"), menu=turn.menu()),), waiting=True)


DIALOG = Dialog(commands={"support": invite}, labels={"menu.support": "support"})
