"""Methods that send, change and delete messages."""

import time
from collections.abc import Callable
from typing import Any

from bot.simulator.photos import BadPhoto
from bot.simulator.telegram.entities import parse, trimmed, with_addresses
from bot.simulator.telegram.exchange import Exchange
from bot.simulator.telegram.faults import Refusal
from bot.simulator.telegram.keyboards import Markup, read_markup
from bot.simulator.telegram.parameters import Call
from bot.simulator.telegram.people import Person

LONGEST_TEXT = 4096
LONGEST_CAPTION = 1024
CHAT_ACTIONS = {
    *("typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document"),
    *("choose_sticker", "find_location", "record_video_note", "upload_video_note"),
}
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current "
    "content and reply markup of the message"
)


def send_message(exchange: Exchange, call: Call) -> dict[str, Any]:
    """sendMessage: 1-4096 characters after the entities are read."""
    text, entities = formatted(call, "text", "entities", call.text("parse_mode"))
    check_text(text)
    return deliver(exchange, call, {"text": text, "entities": entities})


def send_photo(exchange: Exchange, call: Call) -> dict[str, Any]:
    """sendPhoto: an upload, a file id or `attach://name`."""
    caption, entities = formatted(call, "caption", "caption_entities", call.text("parse_mode"))
    check_caption(caption)
    # Whether the chat takes it is asked first: a refused photo is not kept.
    reachable(exchange, call)
    sizes = photo_sizes(exchange, call, call.files.get("photo") or call.text("photo"))
    return deliver(exchange, call, {"photo": sizes, "caption": caption or None, "caption_entities": entities})


def send_document(exchange: Exchange, call: Call) -> dict[str, Any]:
    """sendDocument: an upload or `attach://name`."""
    caption, entities = formatted(call, "caption", "caption_entities", call.text("parse_mode"))
    check_caption(caption)
    reachable(exchange, call)
    field = call.text("document").removeprefix("attach://") or "document"
    data = call.files.get(field)
    if not data:
        raise Refusal("there is no document in the request")
    kept = exchange.documents.add(*call.labels[field], data)
    document = {
        "file_id": kept.id,
        "file_unique_id": kept.id,
        "file_name": kept.name,
        "mime_type": kept.mime,
        "file_size": len(data),
    }
    return deliver(exchange, call, {"document": document, "caption": caption or None, "caption_entities": entities})


def send_chat_action(exchange: Exchange, call: Call) -> bool:
    """sendChatAction: typing dots."""
    if call.text("action") not in CHAT_ACTIONS:
        raise Refusal("wrong parameter action in request")
    person = reachable(exchange, call)
    if person is not None:
        person.type()
    return True


def edit_text(exchange: Exchange, call: Call) -> dict[str, Any]:
    """editMessageText; without reply_markup the inline keyboard goes, as in Telegram."""
    person, message = own_message(exchange, call)
    text, entities = formatted(call, "text", "entities", call.text("parse_mode"))
    check_text(text)
    if "text" not in message:
        raise Refusal("there is no text in the message to edit")
    return change(person, message, call, {"text": text, "entities": entities or None})


def edit_caption(exchange: Exchange, call: Call) -> dict[str, Any]:
    """The caption of a photo: editMessageCaption."""
    person, message = own_message(exchange, call)
    caption, entities = formatted(call, "caption", "caption_entities", call.text("parse_mode"))
    check_caption(caption)
    if "photo" not in message:
        raise Refusal("there is no caption in the message to edit")
    return change(person, message, call, {"caption": caption or None, "caption_entities": entities or None})


def edit_media(exchange: Exchange, call: Call) -> dict[str, Any]:
    """editMessageMedia: another photo, for a photo or a text."""
    person, message = own_message(exchange, call)
    media = call.structure("media")
    if not isinstance(media, dict) or media.get("type") != "photo":
        raise Refusal("can't parse InputMedia: only a photo is known here")
    inner = Call(call.method, media)
    caption, entities = formatted(inner, "caption", "caption_entities", inner.text("parse_mode"))
    check_caption(caption)
    photo = photo_sizes(exchange, call, inner.text("media"))
    changes = {"photo": photo, "caption": caption or None, "caption_entities": entities or None}
    return change(person, message, call, {**changes, "text": None, "entities": None})


def edit_markup(exchange: Exchange, call: Call) -> dict[str, Any]:
    """editMessageReplyMarkup: the inline keyboard alone."""
    person, message = own_message(exchange, call)
    return change(person, message, call, {})


def delete_message(exchange: Exchange, call: Call) -> bool:
    """deleteMessage: in a private chat the bot may delete both sides' messages."""
    person = chat_of(exchange, call)
    message = person.find(call.number("message_id")) if person else None
    if person is None or message is None:
        raise Refusal("message to delete not found")
    if time.time() - message["date"] > 48 * 3600:
        raise Refusal("message can't be deleted for everyone")
    person.delete(message)
    return True


METHODS: dict[str, Callable[[Exchange, Call], Any]] = {
    "sendmessage": send_message,
    "sendphoto": send_photo,
    "senddocument": send_document,
    "sendchataction": send_chat_action,
    "editmessagetext": edit_text,
    "editmessagecaption": edit_caption,
    "editmessagemedia": edit_media,
    "editmessagereplymarkup": edit_markup,
    "deletemessage": delete_message,
}


# ---------------------------------------------------------------------------------------------- steps


def chat_of(exchange: Exchange, call: Call) -> Person | None:
    """The person of the chat, None for a chat that nobody reads."""
    chat_id = call.fields.get("chat_id")
    if chat_id in (None, ""):
        raise Refusal("chat_id is empty")
    if chat_id in exchange.people:
        return exchange.people[chat_id]
    if exchange.silent_chat(chat_id) is not None:
        return None
    raise Refusal("chat not found")


def reachable(exchange: Exchange, call: Call) -> Person | None:
    """Like `chat_of`, and the person lets the bot write."""
    person = chat_of(exchange, call)
    if person is not None and person.blocked:
        raise Refusal("bot was blocked by the user", 403)
    if person is not None and not person.started:
        raise Refusal("bot can't initiate conversation with a user", 403)
    return person


def deliver(exchange: Exchange, call: Call, content: dict[str, Any]) -> dict[str, Any]:
    """Put a message of the bot into its chat."""
    person = reachable(exchange, call)
    markup = read_markup(call.structure("reply_markup"))
    message = {name: value for name, value in content.items() if value not in (None, [])}
    if markup.inline:
        message["reply_markup"] = markup.inline
    if person is None:
        return silent_message(exchange, call, message)
    message |= reply_to(person, call)
    if markup.changes_reply:
        person.show_keyboard(markup.reply, markup.options)
    return person.receive(message)


def reply_to(person: Person, call: Call) -> dict[str, Any]:
    """The message answered to, when the call names one."""
    wanted = call.structure("reply_parameters")
    if not isinstance(wanted, dict):
        return {}
    found = person.find(wanted.get("message_id", 0))
    if found is None:
        if wanted.get("allow_sending_without_reply"):
            return {}
        raise Refusal("message to be replied not found")
    left_out = {"outgoing", "reply_to_message"}
    return {"reply_to_message": {name: value for name, value in found.items() if name not in left_out}}


def silent_message(exchange: Exchange, call: Call, content: dict[str, Any]) -> dict[str, Any]:
    """A message into a chat nobody reads: accepted, in the journal, and gone."""
    chat_id = call.number("chat_id")
    number = exchange.silent_message_ids[chat_id] = exchange.silent_message_ids.get(chat_id, 0) + 1
    return {
        "message_id": number,
        "from": exchange.bot,
        "chat": exchange.silent_chat(chat_id),
        "date": int(time.time()),
        **content,
    }


def own_message(exchange: Exchange, call: Call) -> tuple[Person, dict[str, Any]]:
    """The bot's own message that a call wants to change."""
    person = chat_of(exchange, call)
    message = person.find(call.number("message_id")) if person else None
    if person is None or message is None:
        raise Refusal("message to edit not found")
    if message["outgoing"]:
        raise Refusal("message can't be edited")
    return person, message


def change(person: Person, message: dict[str, Any], call: Call, changes: dict[str, Any]) -> dict[str, Any]:
    """Edit in place, unless nothing would be different."""
    markup: Markup = read_markup(call.structure("reply_markup"))
    changes = {**changes, "reply_markup": markup.inline}
    if all(message.get(name) == value for name, value in changes.items()):
        raise Refusal(NOT_MODIFIED)
    return person.edit(message, changes)


def formatted(call: Call, field: str, entities_field: str, mode: str) -> tuple[str, list[dict[str, Any]]]:
    """A text and its entities, by parse mode or as the call lists them."""
    source = call.text(field).replace("\r", "").replace("\0", "")
    if not mode:
        given = call.structure(entities_field)
        text, entities = trimmed(source, given if isinstance(given, list) else [])
    elif mode.lower() == "html":
        text, entities = parse(source)
    else:
        # The house writes HTML only; a dialect read halfway would hide mistakes.
        raise Refusal(f'unsupported parse_mode "{mode}"')
    return text, with_addresses(text, entities)


def check_text(text: str) -> None:
    """Sent texts have 1 to 4096 characters."""
    if not text:
        raise Refusal("message text is empty")
    if len(text) > LONGEST_TEXT:
        raise Refusal("message is too long")


def check_caption(caption: str) -> None:
    """Captions have up to 1024 characters."""
    if len(caption) > LONGEST_CAPTION:
        raise Refusal("message caption is too long")


def photo_sizes(exchange: Exchange, call: Call, source: bytes | str) -> list[dict[str, Any]]:
    """The sizes of an uploaded, attached or already known photo."""
    if isinstance(source, str) and source.startswith("attach://"):
        source = call.files.get(source.removeprefix("attach://"), "")
    if isinstance(source, bytes):
        try:
            return exchange.photos.add(source).sizes()
        except BadPhoto as bad:
            raise Refusal(str(bad)) from None
    if not source:
        raise Refusal("there is no photo in the request")
    if source.startswith(("http://", "https://")):
        # The stand-in opens no connection of its own but to the bot.
        raise Refusal("failed to get HTTP URL content")
    found = exchange.photos.find(source)
    if found is None:
        raise Refusal("wrong file identifier/HTTP URL specified")
    return found.sizes()
