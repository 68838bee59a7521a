"""The calls of the Graph API that we need, each with an end in sight, and what went wrong in the sender's terms."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from io import BytesIO
from typing import Any

import aiohttp
from yarl import URL

from bot.channels.base import File, Rejected, SendError, Unanswered
from bot.channels.reading import TooLong, at, patience, read, read_json, whole, words
from bot.channels.whatsapp.errors import answered
from bot.channels.whatsapp.reading import SCOPED

CALL_SECONDS = 15.0
CONNECT_SECONDS = 5.0
DOWNLOAD_SECONDS = 60.0
# Answers are short; whatever is longer is a page of a proxy, or worse.
LONGEST_ANSWER = 2**20
PAGES = 50
NAME_LENGTH = 160
FAILED_CALL = (aiohttp.ClientError, TimeoutError, OSError)


class GraphClient:
    """One access token and one phone number. `api_url`: where the Graph API is, with its version."""

    def __init__(self, token: str, phone_number_id: str, api_url: str) -> None:
        self._token = token.strip()
        self._api_url = api_url.rstrip("/")
        self._number_url = f"{self._api_url}/{phone_number_id}"
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Let the connections go."""
        if self._session is not None:
            await self._session.close()

    async def send(self, body: Mapping[str, Any]) -> str:
        """Send a message; returns WhatsApp's name for it."""
        told = await self._call("POST", f"{self._number_url}/messages", json=body)
        name = words(at(told, "messages", 0, "id"))
        if not name or len(name) > NAME_LENGTH:
            raise Unanswered("no_answer", "the answer names no message")
        return name

    async def upload(self, file: File) -> str:
        """Store a file there, for a message to name; returns what to name it by."""
        form = aiohttp.FormData()
        form.add_field("messaging_product", "whatsapp")
        form.add_field("type", file.mime)
        form.add_field("file", BytesIO(file.body), filename=file.name or "file", content_type=file.mime)
        told = await self._call("POST", f"{self._number_url}/media", data=form)
        name = words(at(told, "id"), 200)
        if not name:
            raise Unanswered("no_answer", "the answer names no file")
        return name

    async def download(self, media_id: str, *, limit: int) -> bytes:
        """The bytes of a file. Raises Rejected above `limit` bytes."""
        if not SCOPED.fullmatch(media_id) or not media_id.replace("_", "").replace("-", "").isalnum():
            raise Rejected("rejected", "that is no name of a file")
        told = await self._call("GET", f"{self._api_url}/{media_id}")
        if (whole(at(told, "file_size")) or 0) > limit:
            raise Rejected("file_too_large")
        url = words(at(told, "url"))
        if not url.startswith(("https://", "http://")):
            raise Unanswered("no_answer", "the answer has no address of the file")
        timeout = aiohttp.ClientTimeout(total=DOWNLOAD_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=CALL_SECONDS)
        async with self._answer("GET", URL(url, encoded=True), timeout=timeout) as answer:
            if answer.status != 200:
                raise answered(answer.status, await _json(answer))
            try:
                return await read(answer, limit)
            except TooLong:
                raise Rejected("file_too_large") from None

    async def phone_number(self) -> str:
        """The number itself, in digits."""
        told = await self._call("GET", self._number_url, params={"fields": "display_phone_number"})
        return "".join(char for char in words(at(told, "display_phone_number"), 40) if char in "0123456789")

    async def templates(self, business_id: str) -> list[dict[str, Any]]:
        """Every template of a business account, as WhatsApp tells of it."""
        found: list[dict[str, Any]] = []
        after = ""
        for _ in range(PAGES):
            params = {"limit": "100", **({"after": after} if after else {})}
            told = await self._call("GET", f"{self._api_url}/{business_id}/message_templates", params=params)
            page = at(told, "data")
            found += [one for one in page if isinstance(one, dict)] if isinstance(page, list) else []
            after = words(at(told, "paging", "cursors", "after"))
            if not after or at(told, "paging", "next") is None:
                break
        return found

    async def _call(self, method: str, url: str, **options: Any) -> Any:
        """The answer of a call that went well. Raises SendError."""
        # Followed, a redirect would turn a POST into a GET.
        async with self._answer(method, URL(url), allow_redirects=False, **options) as answer:
            body = await _json(answer)
            if answer.status >= 300 or not isinstance(body, dict) or "error" in body:
                raise answered(answer.status, body, patience(answer.headers.get("Retry-After")))
            return body

    @asynccontextmanager
    async def _answer(self, method: str, url: URL, **options: Any) -> AsyncIterator[aiohttp.ClientResponse]:
        """An answer under way. Raises Unanswered for a line that breaks: the call may have gone through."""
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=CALL_SECONDS, sock_connect=CONNECT_SECONDS)
            # Pace and the number of calls at once are the sender's business.
            connector = aiohttp.TCPConnector(limit=0)
            headers = {"Authorization": f"Bearer {self._token}"}
            self._session = aiohttp.ClientSession(timeout=timeout, connector=connector, headers=headers)
        try:
            async with self._session.request(method, url, **options) as answer:
                yield answer
        except SendError:
            raise
        except FAILED_CALL as error:
            raise Unanswered("no_answer", type(error).__name__) from error


async def _json(answer: aiohttp.ClientResponse) -> Any:
    """The answer as JSON, whatever it calls itself; None for what is none."""
    try:
        return read_json(await read(answer, LONGEST_ANSWER))
    except (ValueError, RecursionError):
        return None
