"""WhatsApp Manager: where the business makes its templates, and where one decides of them in Meta's stead."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot.simulator.chats import Chat
from bot.simulator.manners import done, read, refused
from bot.simulator.messengers import Act
from bot.simulator.whatsapp.exchange import Exchange
from bot.simulator.whatsapp.faults import GraphError, WhatsAppFaults
from bot.simulator.whatsapp.manager_words import WORDS as OWN
from bot.simulator.whatsapp.templates import part_of
from bot.simulator.whatsapp.words import WORDS

TURNS = {
    "PENDING": ("APPROVED", "REJECTED"),
    "APPROVED": ("PAUSED", "REJECTED"),
    "REJECTED": ("APPROVED",),
    "PAUSED": ("APPROVED", "REJECTED"),
    "DISABLED": (),
}
"""What may become of a template, by what it is."""
REASON = "INVALID_FORMAT"
FIELDS = {
    "bad_name": "name",
    "name_taken": "name",
    "bad_language": "language",
    "bad_category": "category",
    "bad_body": "body",
    "variable_left_out": "body",
    "variable_at_the_end": "body",
    "no_example": "examples",
}
"""Beside which field of the form a refusal is said."""


class Entrance(Chat):
    """Whom the page is of."""

    id = "manager"
    phone = None

    @property
    def full_name(self) -> str:
        return Manager.title

    def keep(self) -> None:
        """The templates are kept with WhatsApp."""


class Manager:
    """The templates of one business, and a form for new ones."""

    name = "manager"
    title = "WhatsApp Manager"
    words: Mapping[str, Mapping[str, str]] = {language: {**WORDS[language], **OWN[language]} for language in WORDS}

    def __init__(self, exchange: Exchange) -> None:
        self.entrance = Entrance()
        self.acts: Mapping[str, Act] = {"create": self.create, "review": self.review}
        self._exchange = exchange

    @property
    def faults(self) -> WhatsAppFaults:
        """WhatsApp's."""
        return self._exchange.faults

    def shown(self, message: dict[str, Any]) -> dict[str, Any]:
        return message

    def status(self, _: Entrance) -> dict[str, Any]:
        hook = self._exchange.hook
        return {
            "templates": [shown(one) for one in reversed(self._exchange.templates.dump())],
            "hint": "unverified" if not hook.verified else "webhook_fails" if hook.is_failing else "",
        }

    async def create(self, entrance: Entrance, request: web.Request) -> web.Response:
        """A template for review, by the rules of the Graph API."""
        asked = await read(request)
        main: dict[str, Any] = {"type": "BODY", "text": words_of(asked.get("body"))}
        given = asked.get("examples")
        examples = [words_of(one) for one in given] if isinstance(given, list) else []
        if any(examples):
            main["example"] = {"body_text": [[one for one in examples if one]]}
        facts = {field: words_of(asked.get(field)) for field in ("name", "language", "category")}
        try:
            self._exchange.templates.create({**facts, "components": [main]})
        except GraphError as error:
            return refused(error.about or "failed", field=FIELDS.get(error.about, ""))
        self._exchange.changed()
        entrance.touch()
        return done()

    async def review(self, entrance: Entrance, request: web.Request) -> web.Response:
        """Meta's decision; the app hears of it."""
        asked = await read(request)
        name, language, event = (words_of(asked.get(field)) for field in ("name", "language", "event"))
        template = self._exchange.templates.find(name, language)
        if template is None or event not in TURNS[template["status"]]:
            return refused("failed")
        self._exchange.templates.review(name, language, event, REASON if event == "REJECTED" else "NONE")
        entrance.touch()
        return done()


def shown(template: dict[str, Any]) -> dict[str, Any]:
    """A template, as the page draws it."""
    status = template["status"]
    return {
        **{field: template[field] for field in ("name", "language", "category", "status")},
        "body": str((part_of(template["components"], "BODY") or {}).get("text", "")),
        "reason": template.get("rejected_reason", "") if status == "REJECTED" else "",
        "turns": TURNS[status],
    }


def words_of(value: Any) -> str:
    """What was typed into a field."""
    return value.strip() if isinstance(value, str) else ""
