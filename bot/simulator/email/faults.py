"""What may go wrong on purpose with e-mail."""

from dataclasses import dataclass

from bot.simulator.faults import Faults


@dataclass(slots=True)
class EmailFaults(Faults):
    """`blocked`: so many messages are refused for their address. `greylisted`: so many are to come again later.

    SMTP has no seconds to wait: with `retry_after` every message is told to come later and the line is closed. A
    broken proxy is a line that breaks.
    """

    blocked: int = 0
    greylisted: int = 0
