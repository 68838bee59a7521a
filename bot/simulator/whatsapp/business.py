"""The business's number and the app behind it, as Meta's dashboard shows them."""

import secrets
from dataclasses import dataclass, field


def made_up() -> str:
    """A secret that nobody knows."""
    return secrets.token_hex(16)


@dataclass(frozen=True, slots=True)
class Business:
    """What Meta and the app agreed upon.

    `hook` is where the app takes webhooks; without one it hears nothing and no newcomers come. `account_id` is the
    WhatsApp Business Account, to which templates belong.
    """

    hook: str = ""
    name: str = "Regulars"
    phone_number_id: str = "1000000"
    account_id: str = "2000000"
    display_phone_number: str = "+44 7400 000000"
    access_token: str = field(default_factory=made_up, repr=False)
    app_secret: str = field(default_factory=made_up, repr=False)
    verify_token: str = field(default_factory=made_up, repr=False)
