"""Telegram, through aiogram: the only module that knows it. Source of the shapes: core.telegram.org/bots/api."""

import asyncio
import hmac
import html
import json
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import aiohttp
import structlog
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ChatType, ParseMode
from aiogram.exceptions import (
    AiogramError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import TelegramMethod
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    CallbackQuery,
    Chat,
    ChatMemberUpdated,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    KeyboardButton,
    Message,
    ReplyKeyboardMarkup,
    ReplyKeyboardRemove,
    Update,
    User,
)
from pydantic import ValidationError

from bot.channels.base import (
    Elsewhere,
    Event,
    EventKind,
    Forged,
    Hook,
    Outgoing,
    RateLimited,
    Rejected,
    SendError,
    Store,
    Unanswered,
    Unauthorized,
    Unreachable,
)
from loyalty.conversations.actions.turns import Sender
from loyalty.conversations.channels import CAPABILITIES, TELEGRAM
from loyalty.conversations.content import Content, fit
from loyalty.conversations.rules import Arrived
from loyalty.customers.rules import clean_text
from loyalty.errors import Invalid
from loyalty.staff.rules import LANGUAGES

NAME = TELEGRAM
WANTED = ["message", "callback_query", "my_chat_member", "channel_post"]
POLL_SECONDS = 25
CALL_SECONDS = 20
CHECK_HOOK_SECONDS = 60.0
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  the name of a header
ID_LIMIT = 2**63
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
USERNAME = re.compile(r"[A-Za-z0-9_]{1,64}", re.ASCII)
PICTURES = ("image/jpeg", "image/png", "image/webp")
GONE = ("chat not found", "user is deactivated", "peer_id_invalid", "user not found")
# A call that did not end in an answer that makes sense; among them HTML, as proxies give.
FAILED_CALL = (AiogramError, aiohttp.ClientError, TimeoutError, OSError)
Markup = InlineKeyboardMarkup | ReplyKeyboardMarkup | ReplyKeyboardRemove

log = structlog.get_logger(__name__)


class GetRawUpdates(TelegramMethod[list[dict[str, Any]]]):
    """getUpdates that leaves each update as it came: one that aiogram cannot read must not cost the others."""

    __returning__ = list[dict[str, Any]]
    __api_method__ = "getUpdates"

    offset: int | None = None
    timeout: int
    allowed_updates: list[str]


class _Patience:
    """Growing pauses between calls that fail, and a line in the log for each."""

    def __init__(self, complaint: str) -> None:
        self._complaint = complaint
        self._pause = FIRST_PAUSE_SECONDS

    async def wait(self, error: Exception) -> None:
        """Before the next try: as long as Telegram asks, or longer each time."""
        wait = error.retry_after if isinstance(error, TelegramRetryAfter) else self._pause
        log.warning(self._complaint, channel=NAME, kind=type(error).__name__, wait=wait)
        await asyncio.sleep(wait)
        self._pause = min(self._pause * 2, LONGEST_PAUSE_SECONDS)

    def restore(self) -> None:
        """A call went well."""
        self._pause = FIRST_PAUSE_SECONDS


class TelegramChannel:
    """One bot token. `api_url`: where the Bot API is, https://api.telegram.org or a stand-in.

    With a `hook` Telegram calls us; without one we poll.
    """

    name = NAME
    capabilities = CAPABILITIES[NAME]

    def __init__(self, token: str, api_url: str, hook: Hook | None = None) -> None:
        session = AiohttpSession(api=TelegramAPIServer.from_base(api_url.rstrip("/")), timeout=CALL_SECONDS)
        self._bot = Bot(token, session=session, default=DefaultBotProperties(parse_mode=ParseMode.HTML))
        self._hook = hook
        self._username = ""
        self.source = f"{NAME}:{self._bot.id}"

    async def close(self) -> None:
        await self._bot.session.close()

    # ------------------------------------------------------------------------------------------ arriving

    async def introduce(self, commands: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        for language, listed in commands.items():
            await _called(
                self._bot.set_my_commands(
                    [BotCommand(command=command, description=text) for command, text in listed],
                    language_code=language or None,
                )
            )

    async def link(self, payload: str) -> str:
        if not self._username:
            self._username = (await _called(self._bot.get_me())).username or ""
        return f"https://t.me/{self._username}?start={payload}"

    async def receive(self, store: Store) -> None:
        if self._hook is None:
            await self._poll(store)
        else:
            await self._keep_called(self._hook)

    async def _poll(self, store: Store) -> None:
        """Long polling for ever. The next call's offset confirms an update, so it is stored before."""
        offset: int | None = None
        patience = _Patience("updates not fetched")
        is_free = False
        while True:
            try:
                if not is_free:
                    # With a webhook set, Telegram refuses to be polled.
                    await self._bot.delete_webhook(drop_pending_updates=False)
                    is_free = True
                updates = await self._bot(
                    GetRawUpdates(offset=offset, timeout=POLL_SECONDS, allowed_updates=WANTED),
                    request_timeout=POLL_SECONDS + CALL_SECONDS,
                )
            except FAILED_CALL as error:
                is_free = False
                await patience.wait(error)
                continue
            patience.restore()
            if not updates:
                continue
            await store([arrived(update) for update in updates])
            offset = max(int(update["update_id"]) for update in updates) + 1

    async def _keep_called(self, hook: Hook) -> None:
        """Set the webhook, and set it again within a minute when another program of this token took it away."""
        is_ours = False
        patience = _Patience("webhook not set")
        failed_at: datetime | None = None
        while True:
            try:
                if not is_ours:
                    await self._bot.set_webhook(hook.url, secret_token=hook.secret, allowed_updates=WANTED)
                    log.info("webhook set", channel=NAME)
                found = await self._bot.get_webhook_info()
            except FAILED_CALL as error:
                await patience.wait(error)
                continue
            patience.restore()
            is_ours = found.url == hook.url
            if not is_ours:
                log.warning("webhook taken away by another program with this token", channel=NAME)
                await asyncio.sleep(FIRST_PAUSE_SECONDS)
                continue
            if found.last_error_date is not None and found.last_error_date != failed_at:
                failed_at = found.last_error_date
                told, waiting = found.last_error_message, found.pending_update_count
                log.warning("Telegram could not call us", channel=NAME, told=told, waiting=waiting)
            await asyncio.sleep(CHECK_HOOK_SECONDS)

    def admit(self, headers: Mapping[str, str], body: bytes) -> Sequence[Arrived]:
        # As bytes: a header may hold what is not ASCII, which the comparison of texts refuses.
        given = headers.get(SECRET_HEADER, "").encode(errors="surrogateescape")
        if self._hook is None or not hmac.compare_digest(given, self._hook.secret.encode()):
            raise Forged
        try:
            update = json.loads(body)
        except (ValueError, RecursionError):
            raise Invalid("body", "is not JSON") from None
        if not isinstance(update, dict):
            raise Invalid("body", "is not an update")
        number = update.get("update_id")
        if type(number) is not int or not 0 <= number < ID_LIMIT:
            raise Invalid("update_id", "is not a number of an update")
        return [Arrived(str(number), number, chat_of(update), body)]

    def challenge(self, query: Mapping[str, str]) -> str:
        # Telegram never asks: it is told the address by us.
        del query
        raise Forged

    def parse(self, body: bytes) -> Event | Elsewhere | None:
        try:
            update = Update.model_validate_json(body, context={"bot": self._bot})
        except ValidationError as error:
            # Its words would quote what people wrote.
            raise ValueError(f"{error.error_count()} fields of the update are not as documented") from None
        if update.message is not None:
            return _from_message(update.message)
        if update.callback_query is not None:
            return _from_button(update.callback_query)
        if update.my_chat_member is not None:
            return _from_membership(update.my_chat_member)
        if update.channel_post is not None:
            return Elsewhere(str(update.channel_post.chat.id), can_write=False)
        return None

    async def fetch(self, file_id: str, *, limit: int) -> bytes:
        file = await _called(self._bot.get_file(file_id))
        if file.file_path is None or (file.file_size or 0) > limit:
            raise Rejected("file_too_large")
        buffer = await _called(self._bot.download_file(file.file_path, timeout=CALL_SECONDS))
        if buffer is None:
            raise Unanswered("no_file")
        body: bytes = buffer.read(limit + 1)
        if len(body) > limit:
            raise Rejected("file_too_large")
        return body

    # ------------------------------------------------------------------------------------------- sending

    async def send(self, message: Outgoing) -> str:
        fitted = fit(message.content, self.capabilities, message.language)
        chat, text, markup, file = int(message.address), _html(fitted), _markup(fitted), message.file
        call: Any
        if file is None:
            call = self._bot.send_message(chat, text, reply_markup=markup)
        elif file.mime in PICTURES:
            with suppress(SendError):
                await _called(self._bot.send_chat_action(chat, "upload_photo"))
            call = self._bot.send_photo(chat, _photo(file.body), caption=text, reply_markup=markup)
        else:
            document = BufferedInputFile(file.body, filename=file.name or "file")
            call = self._bot.send_document(chat, document, caption=text, reply_markup=markup)
        return str((await _called(call)).message_id)

    async def edit(self, address: str, message_id: str, content: Content, picture: bytes) -> None:
        fitted = fit(content, self.capabilities)
        markup = _markup(fitted)
        media = InputMediaPhoto(media=_photo(picture), caption=_html(fitted), parse_mode=ParseMode.HTML)
        await _called(
            self._bot.edit_message_media(
                media,
                chat_id=int(address),
                message_id=int(message_id),
                reply_markup=markup if isinstance(markup, InlineKeyboardMarkup) else None,
            )
        )

    async def answer_button(self, event: Event, *, notice: str = "", remove: bool = False) -> None:
        if event.callback_id is not None:
            with suppress(SendError):
                await _called(self._bot.answer_callback_query(event.callback_id, text=notice or None))
        if remove and event.message_id is not None:
            with suppress(SendError):
                await _called(
                    self._bot.edit_message_reply_markup(
                        chat_id=int(event.sender.address), message_id=int(event.message_id), reply_markup=None
                    )
                )

    async def leave(self, chat: str, hint: str) -> None:
        if hint:
            with suppress(SendError):
                await _called(self._bot.send_message(int(chat), html.escape(hint, quote=False)))
        with suppress(SendError):
            await _called(self._bot.leave_chat(int(chat)))


# ------------------------------------------------------------------------------------------------ parsing


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


def _from_message(message: Message) -> Event | Elsewhere | None:
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


def _from_button(query: CallbackQuery) -> Event | Elsewhere | None:
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


def _from_membership(change: ChatMemberUpdated) -> Event | Elsewhere | None:
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
    return Sender(NAME, str(chat.id), name, username, code if code in LANGUAGES else "")


# ------------------------------------------------------------------------------------------- serialising


def _html(content: Content) -> str:
    text = html.escape(content.text, quote=False)
    if content.strong:
        strong = html.escape(content.strong, quote=False)
        text = text.replace(strong, f"<b>{strong}</b>", 1)
    return text


def _markup(content: Content) -> Markup | None:
    if content.buttons:
        rows = [
            [InlineKeyboardButton(text=button.text, callback_data=button.data) for button in row]
            for row in content.buttons
        ]
        return InlineKeyboardMarkup(inline_keyboard=rows)
    if content.ask_contact:
        ask = KeyboardButton(text=content.ask_contact, request_contact=True)
        return ReplyKeyboardMarkup(keyboard=[[ask]], resize_keyboard=True, one_time_keyboard=True)
    if content.menu is None:
        return None
    if not content.menu:
        return ReplyKeyboardRemove(remove_keyboard=True)
    rows_of_keys = [[KeyboardButton(text=label) for label in row] for row in content.menu]
    return ReplyKeyboardMarkup(keyboard=rows_of_keys, resize_keyboard=True, is_persistent=True)


def _photo(picture: bytes) -> BufferedInputFile:
    return BufferedInputFile(picture, filename="card.png")


async def _called(call: Any) -> Any:
    """The answer of a call, with what can go wrong in the sender's terms."""
    try:
        return await call
    except TelegramRetryAfter as error:
        raise RateLimited(error.retry_after) from error
    except TelegramForbiddenError as error:
        raise Unreachable("blocked", error.message) from error
    except (TelegramUnauthorizedError, TelegramNotFound) as error:
        raise Unauthorized("unauthorized", error.message) from error
    except TelegramBadRequest as error:
        if any(words in error.message.lower() for words in GONE):
            raise Unreachable("gone", error.message) from error
        raise Rejected("rejected", error.message) from error
    except (TelegramServerError, TelegramNetworkError, TelegramConflictError) as error:
        raise Unanswered("no_answer", type(error).__name__) from error
    except TelegramAPIError as error:
        raise Rejected("rejected", error.message) from error
    except FAILED_CALL as error:
        # The call may have gone through.
        raise Unanswered("no_answer", type(error).__name__) from error
