"""What may go wrong on purpose with WhatsApp, and how the Graph API words what it refuses."""

import secrets
from dataclasses import dataclass
from typing import Any

from bot.simulator.faults import Faults

HREF = "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/"
TITLES = {
    100: "Invalid parameter",
    104: "Access token required",
    190: "Access token has expired",
    130429: "Rate limit hit",
    131008: "Required parameter is missing",
    131009: "Parameter value is not valid",
    131026: "Message undeliverable",
    131047: "Re-engagement message",
    131050: "Unable to deliver the message. This recipient has chosen to stop receiving marketing messages on WhatsApp",
    131053: "Media upload error",
    131056: "(Business Account, Consumer Account) pair rate limit hit",
    132000: "Number of parameters does not match the expected number of params",
    132001: "Template name does not exist in the translation",
    132012: "Parameter format does not match format in the created template",
    132015: "Template is paused",
    132016: "Template is disabled",
    132018: "There was an issue with the parameters in the template",
}
DETAILS = {
    131026: "Message undeliverable.",
    131047: "Message failed to send because more than 24 hours have passed since the customer last replied to this "
    "number.",
    131050: "The user has stopped marketing messages from this business.",
}
STATUSES = {104: 401, 190: 401, 130429: 429}


@dataclass(slots=True)
class WhatsAppFaults(Faults):
    """More bad weather.

    `pair_rate`: so many sends are too many for their person. `undeliverable`: so many accepted sends fail with
    131026. `hours_ahead`: so far is WhatsApp's clock ahead, which closes windows. `errors_at_once`: what Meta
    usually tells by a webhook, after having accepted the send, is told with the answer.
    """

    pair_rate: int = 0
    undeliverable: int = 0
    hours_ahead: int = 0
    errors_at_once: bool = False


class GraphError(Exception):
    """A call that is refused: `{"error": {"message": …, "code": …, "error_data": {"details": …}}}`.

    `about` is no part of the answer: the word by which the Manager's page says the same to people.
    """

    def __init__(self, code: int, details: str = "", *, subcode: int = 0, status: int = 0, about: str = "") -> None:
        super().__init__(f"(#{code}) {TITLES[code]}")
        self.code = code
        self.details = details or DETAILS.get(code, TITLES[code])
        self.subcode = subcode
        self.about = about
        self.status = status or STATUSES.get(code, 400)

    def body(self) -> dict[str, Any]:
        """As the answer to the call tells it."""
        error: dict[str, Any] = {
            "message": str(self),
            "type": "OAuthException",
            "code": self.code,
            "error_data": {"messaging_product": "whatsapp", "details": self.details},
            "fbtrace_id": secrets.token_urlsafe(12),
        }
        if self.subcode:
            error |= {"error_subcode": self.subcode, "error_user_title": TITLES[self.code]}
            error["error_user_msg"] = self.details
        return {"error": error}

    def told(self) -> dict[str, Any]:
        """As a failed status tells it."""
        title = TITLES[self.code]
        return {
            "code": self.code,
            "title": title,
            "message": title,
            "error_data": {"details": self.details},
            "href": HREF,
        }
