"""The shop's account at the SMS gateway."""

import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Gateway:
    """`token` is what the shop's programs have to show."""

    token: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
