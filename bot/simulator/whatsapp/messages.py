"""Sending: what the business may say, checked as the Cloud API checks it.

Source: developers.facebook.com/docs/whatsapp/cloud-api/reference/messages
"""

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from bot.simulator.whatsapp.exchange import Exchange, digits, message_name
from bot.simulator.whatsapp.faults import GraphError
from bot.simulator.whatsapp.files import DOCUMENTS, IMAGES, File
from bot.simulator.whatsapp.people import Person, shown_document, shown_image, status

LONGEST_TEXT = 4096
LONGEST_ASKING = 1024
LONGEST_CAPTION = 1024
LONGEST_REFERENCE = 512
TYPING_SECONDS = 25


def send(exchange: Exchange, body: dict[str, Any]) -> dict[str, Any]:
    """POST messages: a message, a reaction, or the news that one was read."""
    if body.get("messaging_product") != "whatsapp":
        raise GraphError(100, "The parameter messaging_product is required.")
    if "status" in body:
        return mark_read(exchange, body)
    recipient, answer = addressed(exchange, body)
    person = exchange.find(recipient)
    kind = body.get("type", "text")
    if kind == "reaction":
        return react(exchange, person, body, answer)
    content, category = content_of(exchange, kind, body)
    message = {
        "id": message_name(),
        "date": int(time.time()),
        "type": kind,
        **{name: value for name, value in content.items() if value},
        "outgoing": False,
        "reference": reference_of(body),
    }
    if isinstance(body.get("context"), dict):
        message["context"] = str(body["context"].get("message_id", ""))
    problem = exchange.problem(person, recipient, category)
    if problem is not None and exchange.faults.errors_at_once:
        raise problem
    if problem is not None:
        tell_failure(exchange, message, body, recipient, problem)
    elif person is not None:
        person.receive(message)
    else:
        tell_silence(exchange, message, recipient)
    accepted = {"message_status": "accepted"} if kind == "template" else {}
    return answer | {"messages": [{"id": message["id"], **accepted}]}


def addressed(exchange: Exchange, body: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """(the number or user id that is written to, how the answer begins)."""
    to, user_id = body.get("to"), body.get("recipient")
    if body.get("recipient_type", "individual") != "individual":
        raise GraphError(100, "Param recipient_type must be one of {individual}")
    if isinstance(to, str) and to:
        number = digits(to)
        if not 5 <= len(number) <= 15 or set(to) - set("+ ()-0123456789"):
            raise GraphError(131009, "Recipient phone number is not a valid phone number.")
        known = {"input": to, "wa_id": number}
        person = exchange.find(number)
        if person is not None and person.user_id:
            known["user_id"] = person.user_id
        recipient = number
    elif isinstance(user_id, str) and user_id:
        known = {"input": user_id, "user_id": user_id}
        recipient = user_id
    else:
        raise GraphError(100, "The parameter to is required.")
    return recipient, {"messaging_product": "whatsapp", "contacts": [known]}


def content_of(exchange: Exchange, kind: Any, body: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """(what people see, the category of a template)."""
    asked = body.get(kind) if isinstance(kind, str) else None
    if kind == "template":
        template, content = exchange.templates.fill(asked)
        return content, template["category"]
    make = KINDS.get(kind) if isinstance(kind, str) else None
    if make is None:
        raise GraphError(100, f"Param type must be one of {', '.join([*KINDS, 'reaction', 'template'])} - got {kind}")
    if not isinstance(asked, dict):
        raise GraphError(100, f"The parameter {kind} is required.")
    return make(exchange, asked), ""


def text(_: Exchange, asked: dict[str, Any]) -> dict[str, Any]:
    """A text of 1 to 4096 characters."""
    return {"text": checked(asked.get("body"), "text['body']", LONGEST_TEXT)}


def image(exchange: Exchange, asked: dict[str, Any]) -> dict[str, Any]:
    """A picture that was uploaded, with a caption perhaps."""
    file = uploaded(exchange, asked, IMAGES)
    return {"image": shown_image(file), "caption": caption_of(asked, "image")}


def document(exchange: Exchange, asked: dict[str, Any]) -> dict[str, Any]:
    """A file that was uploaded, under a name of its own."""
    return {"document": named_document(exchange, asked), "caption": caption_of(asked, "document")}


def named_document(exchange: Exchange, asked: dict[str, Any]) -> dict[str, Any]:
    """A file as it is shown, under the name that it was given."""
    shown = shown_document(uploaded(exchange, asked, {**DOCUMENTS, **IMAGES}))
    name = asked.get("filename")
    return shown | ({"name": str(name)} if name else {})


def interactive(exchange: Exchange, asked: dict[str, Any]) -> dict[str, Any]:
    """A text with up to three buttons, with one that opens an address, or with a list of up to ten rows behind one."""
    kinds = {"button": buttons, "cta_url": address, "list": listed}
    make = kinds.get(str(asked.get("type")))
    if make is None:
        raise GraphError(131009, f"Interactive type invalid: {asked.get('type')}")
    main, action = asked.get("body"), asked.get("action")
    if not isinstance(main, dict) or not isinstance(action, dict):
        raise GraphError(131008, "interactive['body'] and interactive['action'] are required.")
    content = {"text": bounded(main.get("text"), "Body text", LONGEST_ASKING), **make(action)}
    if isinstance(asked.get("footer"), dict):
        content["footer"] = bounded(asked["footer"].get("text"), "Footer text", 60)
    head = asked.get("header")
    with_media = asked["type"] in {"button", "cta_url"}
    if isinstance(head, dict) and head.get("type") == "image" and with_media:
        content["image"] = shown_image(uploaded(exchange, head.get("image") or {}, IMAGES))
    elif isinstance(head, dict) and head.get("type") == "document" and with_media:
        content["document"] = named_document(exchange, head.get("document") or {})
    elif isinstance(head, dict) and head.get("type") == "text":
        content["header"] = bounded(head.get("text"), "Header text", 60)
    elif head is not None:
        raise GraphError(131009, "Header type invalid for this interactive type.")
    return content


def buttons(action: dict[str, Any]) -> dict[str, Any]:
    """Reply buttons."""
    given = action.get("buttons")
    if not isinstance(given, list) or not 1 <= len(given) <= 3:
        raise GraphError(131009, "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3")
    replies = []
    for one in given:
        reply = one.get("reply") if isinstance(one, dict) and one.get("type") == "reply" else None
        if not isinstance(reply, dict):
            raise GraphError(131009, "Button type must be reply.")
        title = bounded(reply.get("title"), "Button title", 20)
        replies.append({"id": bounded(reply.get("id"), "Button id", 256), "title": title})
    check_unique(replies, "Button")
    if len({reply["title"] for reply in replies}) < len(replies):
        raise GraphError(131009, "Duplicated button title.")
    return {"buttons": replies}


def address(action: dict[str, Any]) -> dict[str, Any]:
    """One button that opens an address."""
    told = action.get("parameters")
    if action.get("name") != "cta_url" or not isinstance(told, dict):
        raise GraphError(131009, "Invalid cta_url action.")
    url = bounded(told.get("url"), "Button url", 2000)
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).netloc:
        raise GraphError(131009, "Invalid URL in the button.")
    return {"link": {"text": bounded(told.get("display_text"), "Button text", 20), "url": url}}


def listed(action: dict[str, Any]) -> dict[str, Any]:
    """A list; its rows lie in sections, ten at most in all."""
    label = bounded(action.get("button"), "Button label", 20)
    sections = action.get("sections")
    if not isinstance(sections, list) or not 1 <= len(sections) <= 10:
        raise GraphError(131009, "Invalid sections count. Min allowed sections: 1, Max allowed sections: 10")
    rows: list[dict[str, Any]] = []
    for section in sections:
        some = section.get("rows") if isinstance(section, dict) else None
        if not isinstance(some, list) or not some:
            raise GraphError(131009, "A section needs rows.")
        if len(sections) > 1:
            bounded(section.get("title"), "Section title", 24)
        rows.extend(row_of(row) for row in some)
    if len(rows) > 10:
        raise GraphError(131009, f"Total row count exceed max allowed count: 10. Got: {len(rows)}")
    check_unique(rows, "Row")
    return {"list": {"button": label, "rows": rows}}


def row_of(row: Any) -> dict[str, Any]:
    """One row of a list."""
    if not isinstance(row, dict):
        raise GraphError(131009, "A row must be an object.")
    checked_row = {"id": bounded(row.get("id"), "Row id", 200), "title": bounded(row.get("title"), "Row title", 24)}
    if "description" in row:
        checked_row["description"] = bounded(row["description"], "Row description", 72)
    return checked_row


KINDS: dict[str, Callable[[Exchange, dict[str, Any]], dict[str, Any]]] = {
    "text": text,
    "image": image,
    "document": document,
    "interactive": interactive,
}


# ---------------------------------------------------------------------------------------------- steps


def react(exchange: Exchange, person: Person | None, body: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    """A reaction of the business to what a person wrote."""
    asked = body.get("reaction")
    if not isinstance(asked, dict) or not isinstance(asked.get("message_id"), str):
        raise GraphError(131008, "reaction['message_id'] is required.")
    if person is not None:
        person.take_reaction(asked["message_id"], str(asked.get("emoji") or ""))
    exchange.changed()
    return answer | {"messages": [{"id": message_name()}]}


def mark_read(exchange: Exchange, body: dict[str, Any]) -> dict[str, Any]:
    """The business has read a message; with `typing_indicator` it also begins to answer."""
    name = body.get("message_id")
    if body["status"] != "read" or not isinstance(name, str):
        raise GraphError(100, "Param status must be read, with the message_id of an incoming message.")
    person = next((one for one in exchange.people if (told := one.find(name)) and told["outgoing"]), None)
    if person is None:
        raise GraphError(100, "Message ID does not exist.")
    person.was_read(name)
    if body.get("typing_indicator"):
        person.type(TYPING_SECONDS)
    return {"success": True}


def tell_failure(
    exchange: Exchange, message: dict[str, Any], body: dict[str, Any], recipient: str, problem: GraphError
) -> None:
    """What Meta tells by a webhook: accepted, and failed nevertheless. It names whom the call named."""
    field = "recipient_id" if body.get("to") else "recipient_user_id"
    failed = status(message, "failed", exchange.now()) | {field: recipient, "errors": [problem.told()]}
    exchange.tell_status(failed)


def tell_silence(exchange: Exchange, message: dict[str, Any], recipient: str) -> None:
    """Nobody sits behind this number, but it takes messages."""
    field = "recipient_id" if recipient.isdecimal() else "recipient_user_id"
    for name in ("sent", "delivered"):
        exchange.tell_status(status(message, name, exchange.now()) | {field: recipient})


def reference_of(body: dict[str, Any]) -> str | None:
    """What the business wants to be told again in every status."""
    given = body.get("biz_opaque_callback_data")
    return None if given is None else checked(given, "biz_opaque_callback_data", LONGEST_REFERENCE)


def uploaded(exchange: Exchange, asked: dict[str, Any], types: dict[str, int]) -> File:
    """A file of the business, by the id that it got for it."""
    if "link" in asked:
        # The stand-in opens no connection of its own but to the app.
        raise GraphError(131053, "Media download error: the link cannot be reached.")
    name = asked.get("id")
    if not isinstance(name, str) or not name:
        raise GraphError(131008, "Either a media id or a link is required.")
    file = exchange.files.find(name)
    if file is None or file.mime not in types:
        raise GraphError(131009, f"Media {name} does not exist or is of a type that cannot be sent so.")
    return file


def caption_of(asked: dict[str, Any], kind: str) -> str:
    """A caption, which need not be there."""
    given = asked.get("caption")
    return "" if given is None else checked(given, f"{kind}['caption']", LONGEST_CAPTION)


def checked(value: Any, name: str, longest: int) -> str:
    """A text of at least one character."""
    if not isinstance(value, str) or not value.strip():
        raise GraphError(100, f"The parameter {name} is required.")
    if len(value) > longest:
        raise GraphError(100, f"Param {name} must be at most {longest} characters long.")
    return value


def bounded(value: Any, name: str, longest: int) -> str:
    """A text of an interactive message."""
    if not isinstance(value, str) or not value.strip() or len(value) > longest:
        raise GraphError(131009, f"{name} length invalid. Min length: 1, Max length: {longest}")
    return value


def check_unique(choices: list[dict[str, Any]], name: str) -> None:
    """Each choice has an id of its own."""
    if len({choice["id"] for choice in choices}) < len(choices):
        raise GraphError(131009, f"Duplicated {name.lower()} id.")
