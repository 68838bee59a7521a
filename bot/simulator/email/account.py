"""The shop's account at the mail server."""

import secrets
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MailAccount:
    """`port` on loopback, 0 for whichever is free; `user` and `password` are what a client has to show."""

    port: int = 0
    user: str = "shop"
    password: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
