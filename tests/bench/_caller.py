"""Posts updates as fast as they are taken, from a process of its own; prints how many a second.

Raw HTTP/1.1 over kept connections, so that what is measured is the server and not this client.
"""

import asyncio
import json
import sys
from collections.abc import Iterator
from functools import partial
from time import perf_counter

CONNECTIONS = 64
SECRET = "fit-for-benchmarks-only"


def requests(port: int, path: str, first: int, many: int) -> list[bytes]:
    """Whole requests, made before the clock runs."""
    made = []
    for number in range(first, first + many):
        person = {"id": 10**9 + number % 5000, "first_name": "Мария", "last_name": "Соколова"}
        message = {
            "message_id": number,
            "date": 1_772_000_000,
            "chat": {**person, "type": "private"},
            "from": {**person, "is_bot": False, "language_code": "ru"},
            "text": "Во сколько вы закрываетесь?",
        }
        body = json.dumps({"update_id": number, "message": message}).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            f"X-Telegram-Bot-Api-Secret-Token: {SECRET}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


class Connection(asyncio.Protocol):
    """One at a time: the next request goes when the last one is answered."""

    def __init__(self, waiting: Iterator[bytes], done: "asyncio.Future[None]") -> None:
        self._waiting = waiting
        self._done = done
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if b"\r\n\r\n" not in self._answer:
            return
        if not self._answer.startswith(b"HTTP/1.1 200 "):
            self._done.set_exception(RuntimeError(self._answer.decode(errors="replace")))
            return
        self._answer = b""
        self._next()

    def _next(self) -> None:
        request = next(self._waiting, None)
        if request is None:
            self._transport.close()
            self._done.set_result(None)
        else:
            self._transport.write(request)


async def main(port: int, path: str, first: int, many: int) -> float:
    waiting = iter(requests(port, path, first, many))
    loop = asyncio.get_running_loop()
    ends = [loop.create_future() for _ in range(CONNECTIONS)]
    began = perf_counter()
    for end in ends:
        await loop.create_connection(partial(Connection, waiting, end), "127.0.0.1", port)
    await asyncio.gather(*ends)
    return many / (perf_counter() - began)


if __name__ == "__main__":
    print(asyncio.run(main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))))
