"""What may go wrong on purpose with SMS."""

from dataclasses import dataclass

from bot.simulator.faults import Faults


@dataclass(slots=True)
class SmsFaults(Faults):
    """`blocked`: so many sends are refused for their number. `undeliverable`: so many accepted ones fail later."""

    blocked: int = 0
    undeliverable: int = 0


class Refused(Exception):
    """A call that the gateway refuses, with a status and a word."""

    def __init__(self, status: int, reason: str, *, retry_after: int = 0) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.retry_after = retry_after
