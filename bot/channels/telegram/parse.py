"""What Telegram sends, as events. Source of the shapes: core.telegram.org/bots/api."""

import json
import re
from typing import Any

from aiogram.enums import ChatType
from aiogram.types import CallbackQuery, Chat, ChatMemberUpdated, Message, User

from bot.channels.base import Elsewhere, Event, EventKind
from loyalty.conversations.actions.turns import Sender
from loyalty.conversations.channels import TELEGRAM
from loyalty.conversations.rules import Arrived
from loyalty.customers.rules import clean_text
from loyalty.staff.rules import LANGUAGES

ID_LIMIT = 2**63
USERNAME = re.compile(r"[A-Za-z0-9_]{1,64}", re.ASCII)


def arrived(update: dict[str, Any]) -> Arrived:
    """An update as it is stored: its number, the chat it belongs to, and its bytes."""
    # Escaped: half a surrogate pair, which JSON may hold and UTF-8 may not, must not cost the whole batch.
    number = int(update["update_id"])
    return Arrived(str(number), number, chat_of(update), json.dumps(update).encode())


def chat_of(update: dict[str, Any]) -> str | None:
    """The chat whose order an update keeps, found without reading the rest; None for an update of no chat."""
    for part in update.values():
        if not isinstance(part, dict):
            continue
        for holder in (part, part.get("message")):
            chat = holder.get("chat") if isinstance(holder, dict) else None
            if (number := _id_of(chat)) is not None:
                return number
        if (number := _id_of(part.get("from") or part.get("user"))) is not None:
            return number
    return None


def _id_of(chat_or_user: object) -> str | None:
    number = chat_or_user.get("id") if isinstance(chat_or_user, dict) else None
    return str(number) if type(number) is int and -ID_LIMIT < number < ID_LIMIT else None


def from_message(message: Message) -> Event | Elsewhere | None:
    """A message: what a person did in their chat with us, or that we were written to elsewhere."""
    if message.chat.type != ChatType.PRIVATE:
        # What a group says about itself ("left", "title changed") needs no answer.
        is_said = message.left_chat_member is None and message.group_chat_created is None
        return Elsewhere(str(message.chat.id), can_write=is_said)
    if message.from_user is None:
        return None
    sender = _sender(message.from_user, message.chat)
    message_id = str(message.message_id)
    if message.contact is not None:
        is_own = message.contact.user_id is not None and message.contact.user_id == message.from_user.id
        phone = message.contact.phone_number.strip()
        # Telegram gives numbers in international form, with and without the plus.
        phone = phone if phone.startswith("+") else f"+{phone}"
        return Event(EventKind.CONTACT, sender, message_id=message_id, phone=phone, is_own_phone=is_own)
    if message.photo:
        largest = max(message.photo, key=lambda size: size.width * size.height)
        return Event(
            EventKind.PHOTO,
            sender,
            text=message.caption or "",
            message_id=message_id,
            file_id=largest.file_id,
            mime="image/jpeg",
            size=largest.file_size or 0,
        )
    if message.document is not None:
        return Event(
            EventKind.FILE,
            sender,
            text=message.caption or "",
            message_id=message_id,
            file_id=message.document.file_id,
            file_name=clean_text(message.document.file_name or "")[:120],
            mime=(message.document.mime_type or "application/octet-stream")[:100],
            size=message.document.file_size or 0,
        )
    if message.text is None:
        return Event(EventKind.OTHER, sender, text=message.caption or "", message_id=message_id)
    if message.text.split(maxsplit=1)[:1] == ["/start"]:
        return Event(EventKind.START, sender, text=message.text, message_id=message_id)
    return Event(EventKind.TEXT, sender, text=message.text, message_id=message_id)


def from_button(query: CallbackQuery) -> Event | Elsewhere | None:
    """A pressed button, with what stood on it."""
    if query.message is not None and query.message.chat.type != ChatType.PRIVATE:
        return Elsewhere(str(query.message.chat.id), can_write=True)
    chat = query.message.chat if query.message is not None else Chat(id=query.from_user.id, type="private")
    return Event(
        EventKind.BUTTON,
        _sender(query.from_user, chat),
        text=_label(query),
        data=query.data or "",
        message_id=str(query.message.message_id) if query.message is not None else None,
        callback_id=query.id,
    )


def _label(query: CallbackQuery) -> str:
    """What stood on the button that was pressed."""
    if not isinstance(query.message, Message) or query.message.reply_markup is None:
        return ""
    rows = query.message.reply_markup.inline_keyboard
    return next((button.text for row in rows for button in row if button.callback_data == query.data), "")


def from_membership(change: ChatMemberUpdated) -> Event | Elsewhere | None:
    """Somebody blocked us or let us write again; or we were taken into a group."""
    status = change.new_chat_member.status
    if change.chat.type == ChatType.PRIVATE:
        kind = EventKind.BLOCKED if status in {"kicked", "left"} else EventKind.UNBLOCKED
        return Event(kind, _sender(change.from_user, change.chat))
    if status in {"left", "kicked"}:
        return None
    return Elsewhere(str(change.chat.id), can_write=status != "restricted" and change.chat.type != ChatType.CHANNEL)


def _sender(user: User, chat: Chat) -> Sender:
    # The name is compared with the one that is kept, so it is cleaned the same way.
    name = clean_text(user.full_name)[:100]
    username = user.username if user.username and USERNAME.fullmatch(user.username) else None
    code = (user.language_code or "")[:2]
    return Sender(TELEGRAM, str(chat.id), name, username, code if code in LANGUAGES else "")
