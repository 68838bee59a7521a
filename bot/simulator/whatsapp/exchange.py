"""What all chats share: the business, the people, what the app is told, the files and templates."""

import base64
import secrets
import time
from collections.abc import Callable, Container, Iterable
from typing import TYPE_CHECKING, Any

from bot.simulator.whatsapp.business import Business
from bot.simulator.whatsapp.faults import GraphError, WhatsAppFaults
from bot.simulator.whatsapp.files import Files
from bot.simulator.whatsapp.hook import Hook
from bot.simulator.whatsapp.templates import Templates

if TYPE_CHECKING:
    from bot.simulator.whatsapp.people import Person

WINDOW_SECONDS = 24 * 3600


class Exchange:
    """The state behind the API. `changed` is called after every change that is worth keeping.

    While `hold_statuses` is on, what becomes of messages gathers in `held`, to be released in any order.
    """

    def __init__(self, business: Business, silent: Container[str]) -> None:
        self.business = business
        self.faults = WhatsAppFaults()
        self.people: list[Person] = []
        self.hook = Hook(business, self._taken)
        self.files = Files()
        self.templates = Templates(self.tell)
        # Numbers and user ids that take messages and that nobody reads.
        self.silent = silent
        self.hold_statuses = False
        self.held: list[dict[str, Any]] = []
        self.changed: Callable[[], None] = lambda: None

    def now(self) -> float:
        """WhatsApp's clock."""
        return time.time() + self.faults.hours_ahead * 3600

    def metadata(self) -> dict[str, Any]:
        """Which number of the business a webhook is about."""
        return {
            "messaging_product": "whatsapp",
            "metadata": {
                "display_phone_number": digits(self.business.display_phone_number),
                "phone_number_id": self.business.phone_number_id,
            },
        }

    def tell(self, field: str, value: dict[str, Any]) -> None:
        """The app hears of something."""
        self.hook.push(field, value)
        self.changed()

    def tell_status(self, status: dict[str, Any]) -> None:
        """The app hears what became of a message, now or when statuses are let go."""
        if self.hold_statuses:
            self.held.append(status)
        else:
            self._send_status(status)

    def release(self, statuses: Iterable[dict[str, Any]] | None = None) -> None:
        """Let held statuses go in this order; all of them, as they happened, when none are named."""
        for status in list(self.held if statuses is None else statuses):
            self.held.remove(status)
            self._send_status(status)

    def find(self, name: str) -> "Person | None":
        """Whom a number or a user id belongs to."""
        return next((person for person in self.people if name in {person.wa_id, person.user_id}), None)

    def problem(self, person: "Person | None", recipient: str, category: str) -> GraphError | None:
        """Why a message that is well formed does not arrive. `category` is that of its template, "" without one."""
        if self.faults.take("undeliverable"):
            return GraphError(131026)
        if person is None:
            return None if recipient in self.silent else GraphError(131026)
        if category == "MARKETING" and not person.takes_offers:
            return GraphError(131050)
        if not category and not person.window_is_open:
            return GraphError(131047)
        return None

    def dump(self) -> dict[str, Any]:
        """For the store: all but the people, who dump themselves."""
        return {
            "pending": list(self.hook.pending),
            "files": self.files.dump(),
            "templates": self.templates.dump(),
        }

    def load(self, kept: dict[str, Any]) -> None:
        """From the store."""
        self.hook.pending.extend(kept["pending"])
        self.files.load(kept["files"])
        self.templates.load(kept["templates"])

    def _send_status(self, status: dict[str, Any]) -> None:
        person = self.find(status.get("recipient_user_id") or status.get("recipient_id", ""))
        # Failures come without the person's profile.
        known = [person.contact()] if person is not None and status["status"] != "failed" else []
        contacts = {"contacts": known} if known else {}
        self.tell("messages", {**self.metadata(), **contacts, "statuses": [status]})

    def _taken(self) -> None:
        for person in self.people:
            person.bell.ring()
        self.changed()


def digits(phone: str) -> str:
    """A phone number as WhatsApp names it."""
    return "".join(character for character in phone if character.isdecimal())


def message_name() -> str:
    """A name for a message, in the shape of WhatsApp's."""
    return "wamid." + base64.b64encode(secrets.token_bytes(30)).decode()
