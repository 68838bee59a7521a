"""How calls travel to the Bot API: aiogram's way, and a shorter one for texts, which is what campaigns are made of."""

import json
from typing import Any

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.methods import SendDocument, SendMessage, SendPhoto, TelegramMethod
from aiogram.methods.base import Response
from aiogram.types import MessageId
from aiohttp import ClientConnectionError, ClientSession
from aiohttp.payload import BytesPayload


class SendText(SendMessage):
    """sendMessage, of whose answer the number is read and nothing else."""

    __returning__ = MessageId  # type: ignore[assignment]


class Session(AiohttpSession):
    """aiogram's session, in which a text goes as JSON: copying fields that nobody set costs as much as the call."""

    is_over = False
    """Set when the channel closes: aiogram would open a new line for a call that comes too late, and leave it open."""

    async def create_session(self) -> ClientSession:
        """The open line. Raises ClientConnectionError once it is over."""
        if self.is_over:
            raise ClientConnectionError("the channel is closed")
        return await super().create_session()

    def build_form_data(self, bot: Bot, method: TelegramMethod[Any]) -> Any:
        """What is posted. Source: core.telegram.org/bots/api#making-requests."""
        if not isinstance(method, SendText):
            return super().build_form_data(bot, method)
        given = [(name, getattr(method, name)) for name in method.model_fields_set]
        body = {name: self.prepare_value(value, bot, {}, _dumps_json=False) for name, value in given}
        return BytesPayload(json.dumps(body).encode(), content_type="application/json")


# What the answer of each call is read by. pydantic forgets such a class as soon as nobody holds it, and building it
# anew costs as much as the call itself.
KEPT = [Response[method.__returning__] for method in (SendText, SendPhoto, SendDocument)]  # type: ignore[name-defined]
