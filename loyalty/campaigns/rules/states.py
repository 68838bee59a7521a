"""How a campaign stands, whom it leaves out and why, what became of each. Pure."""

from dataclasses import dataclass
from enum import StrEnum

TICKED_AT_MOST = 1_000

TOO_MANY_ERRORS_BP = 1_000
"""A campaign stands still by itself when so large a share of its messages did not arrive since it began or went on …"""
ERRORS_AT_LEAST = 20
"""… and these are not just a few. Who blocked the bot, or left, is no error of ours."""


class CampaignState(StrEnum):
    """How a campaign stands."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELLED = "cancelled"


OVER = frozenset({CampaignState.FINISHED, CampaignState.CANCELLED})
"""Nothing more is sent of it."""
AHEAD = frozenset({CampaignState.DRAFT, CampaignState.SCHEDULED})
"""Nobody was chosen yet."""


class PauseReason(StrEnum):
    """Why a campaign stands still, or ended, without anybody's doing."""

    ERRORS = "errors"
    TOKEN_REVOKED = "token_revoked"  # noqa: S105  a reason
    TOO_LATE = "too_late"
    NO_AUDIENCE = "no_audience"


class Skip(StrEnum):
    """Why somebody of the audience is not written to, in the order in which it is asked."""

    EXCLUDED = "excluded"
    NO_ACCOUNT = "no_account"
    BLOCKED = "blocked"
    NO_CONSENT = "no_consent"
    NOT_TAKEN = "not_taken"
    WINDOW_CLOSED = "window_closed"
    VARIABLE_MISSING = "variable_missing"
    CAPPED = "frequency_cap"
    NOT_IN_BASE = "is_not_in_base"
    TOO_LATE = "too_late"


class Fate(StrEnum):
    """What became of one person's message."""

    WAITING = "waiting"
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    CONTROL = "control"


@dataclass(frozen=True, slots=True)
class Errors:
    """How a campaign goes since it began or went on: messages that are settled, and those of them that went wrong."""

    settled: int
    wrong: int

    @property
    def are_too_many(self) -> bool:
        """Whether it is to stand still until somebody has looked."""
        return self.wrong >= ERRORS_AT_LEAST and self.wrong * 10_000 >= self.settled * TOO_MANY_ERRORS_BP
