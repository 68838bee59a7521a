"""One bot token: fetching or being called, sending, files."""

import asyncio
import hmac
import html
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

import structlog
from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.exceptions import (
    TelegramRetryAfter,
)
from aiogram.methods import TelegramMethod
from aiogram.types import (
    BotCommand,
    BufferedInputFile,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    Update,
)
from pydantic import ValidationError
from pydantic_core import from_json

from bot.channels.base import (
    Elsewhere,
    Event,
    Forged,
    Hook,
    Outgoing,
    Rejected,
    SendError,
    Store,
    Unanswered,
)
from bot.channels.telegram.errors import FAILED_CALL, called
from bot.channels.telegram.parse import ID_LIMIT, arrived, chat_of, from_button, from_membership, from_message
from bot.channels.telegram.serialise import html_of, markup_of, photo
from bot.channels.telegram.session import SendText, Session
from loyalty.conversations.channels import CAPABILITIES, TELEGRAM
from loyalty.conversations.content import Content, fit
from loyalty.conversations.rules import Arrived
from loyalty.errors import Invalid

NAME = TELEGRAM
WANTED = ["message", "callback_query", "my_chat_member", "channel_post"]
POLL_SECONDS = 25
CALL_SECONDS = 20
CHECK_HOOK_SECONDS = 60.0
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105  the name of a header
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 30.0
PICTURES = ("image/jpeg", "image/png", "image/webp")

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
        self._session = Session(api=TelegramAPIServer.from_base(api_url.rstrip("/")), timeout=CALL_SECONDS)
        self._bot = Bot(token, session=self._session, default=DefaultBotProperties(parse_mode=ParseMode.HTML))
        self._hook = hook
        self._secret = hook.secret.encode() if hook is not None else b""
        self._username = ""
        self.source = f"{NAME}:{self._bot.id}"

    async def close(self) -> None:
        self._session.is_over = True
        await self._session.close()

    # ------------------------------------------------------------------------------------------ arriving

    async def introduce(self, commands: Mapping[str, Sequence[tuple[str, str]]]) -> None:
        for language, listed in commands.items():
            await called(
                self._bot.set_my_commands(
                    [BotCommand(command=command, description=text) for command, text in listed],
                    language_code=language or None,
                )
            )

    async def link(self, payload: str) -> str:
        if not self._username:
            self._username = (await called(self._bot.get_me())).username or ""
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

    def admit(self, headers: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Sequence[Arrived]:
        del query
        # As bytes: a header may hold what is not ASCII, which the comparison of texts refuses.
        given = headers.get(SECRET_HEADER, "").encode(errors="surrogateescape")
        if self._hook is None or not hmac.compare_digest(given, self._secret):
            raise Forged
        try:
            update = _read(body)
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
            return from_message(update.message)
        if update.callback_query is not None:
            return from_button(update.callback_query)
        if update.my_chat_member is not None:
            return from_membership(update.my_chat_member)
        if update.channel_post is not None:
            return Elsewhere(str(update.channel_post.chat.id), can_write=False)
        return None

    async def fetch(self, file_id: str, *, limit: int) -> bytes:
        file = await called(self._bot.get_file(file_id))
        if file.file_path is None or (file.file_size or 0) > limit:
            raise Rejected("file_too_large")
        buffer = await called(self._bot.download_file(file.file_path, timeout=CALL_SECONDS))
        if buffer is None:
            raise Unanswered("no_file")
        body: bytes = buffer.read(limit + 1)
        if len(body) > limit:
            raise Rejected("file_too_large")
        return body

    # ------------------------------------------------------------------------------------------- sending

    async def send(self, message: Outgoing) -> str:
        fitted = fit(message.content, self.capabilities, message.language)
        chat, text, markup, file = int(message.address), html_of(fitted), markup_of(fitted), message.file
        call: Any
        if file is None:
            call = self._bot(SendText(chat_id=chat, text=text, parse_mode=ParseMode.HTML, reply_markup=markup))
        elif file.mime in PICTURES:
            with suppress(SendError):
                await called(self._bot.send_chat_action(chat, "upload_photo"))
            call = self._bot.send_photo(chat, photo(file.body), caption=text, reply_markup=markup)
        else:
            document = BufferedInputFile(file.body, filename=file.name or "file")
            call = self._bot.send_document(chat, document, caption=text, reply_markup=markup)
        return str((await called(call)).message_id)

    def units(self, message: Outgoing) -> int:
        """Each is one."""
        del message
        return 1

    async def edit(self, address: str, message_id: str, content: Content, picture: bytes) -> None:
        fitted = fit(content, self.capabilities)
        markup = markup_of(fitted)
        media = InputMediaPhoto(media=photo(picture), caption=html_of(fitted), parse_mode=ParseMode.HTML)
        await called(
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
                await called(self._bot.answer_callback_query(event.callback_id, text=notice or None))
        if remove and event.message_id is not None:
            with suppress(SendError):
                await called(
                    self._bot.edit_message_reply_markup(
                        chat_id=int(event.sender.address), message_id=int(event.message_id), reply_markup=None
                    )
                )

    async def leave(self, chat: str, hint: str) -> None:
        if hint:
            with suppress(SendError):
                await called(self._bot.send_message(int(chat), html.escape(hint, quote=False)))
        with suppress(SendError):
            await called(self._bot.leave_chat(int(chat)))


def _read(body: bytes) -> Any:
    """What JSON says. The quicker reader takes no half of a surrogate pair, which people's names have."""
    try:
        return from_json(body)
    except ValueError:
        return json.loads(body)
