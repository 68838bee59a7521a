"""What may go wrong on purpose with Telegram, and how a refused call is answered."""

from dataclasses import dataclass

from bot.simulator.faults import Faults


@dataclass(slots=True)
class TelegramFaults(Faults):
    """`blocked`: so many sends are told that the person has blocked the bot."""

    blocked: int = 0


class Refusal(Exception):
    """A call the Bot API refuses: `{"ok": false, "error_code": …, "description": …}`."""

    def __init__(self, description: str, code: int = 400, *, retry_after: int = 0) -> None:
        prefix = {400: "Bad Request: ", 403: "Forbidden: ", 409: "Conflict: "}.get(code, "")
        super().__init__(prefix + description)
        self.code = code
        self.retry_after = retry_after
