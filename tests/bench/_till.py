"""Tills that record receipts as fast as they are answered, from a process of its own; prints how many a second.

Run as `python -m tests.bench._till PORT[,PORT] CLIENTS SECONDS LOWEST HIGHEST`, with the API key in TILL_KEY. Customers
are drawn between the two ids; clients take turns at the ports. Raw HTTP/1.1 over kept connections, so that what is
measured is the server and not this client.
"""

import asyncio
import json
import os
import random
import sys
from functools import partial
from time import perf_counter

from tests.bench._basket import LINES, TOTAL


class Till(asyncio.Protocol):
    """One at a time: the next receipt goes when the last one is answered."""

    def __init__(self, number: int, customers: tuple[int, int], end: float, done: "asyncio.Future[int]") -> None:
        self._name = f"{os.getpid()}-{random.randrange(10**9)}-{number}"
        self._customers = customers
        self._end = end
        self._done = done
        self._sent = 0
        self._answer = b""
        self._head = (
            f"POST /api/v1/receipts HTTP/1.1\r\nHost: till\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {os.environ['TILL_KEY']}\r\nContent-Length: "
        )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._next()

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, parted, rest = self._answer.partition(b"\r\n\r\n")
        if not parted or len(rest) < int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]):
            return
        if not head.startswith(b"HTTP/1.1 201 "):
            self._done.set_exception(RuntimeError(self._answer.decode(errors="replace")))
            self._transport.close()
            return
        self._answer = b""
        self._next()

    def _next(self) -> None:
        if perf_counter() >= self._end:
            self._transport.close()
            self._done.set_result(self._sent)
            return
        self._sent += 1
        receipt = {
            "external_id": f"{self._name}-{self._sent}",
            "location_id": 1,
            "customer_id": random.randint(*self._customers),
            "total": TOTAL,
            "lines": LINES,
        }
        body = json.dumps(receipt).encode()
        self._transport.write(f"{self._head}{len(body)}\r\n\r\n".encode() + body)


async def main(ports: list[int], clients: int, seconds: float, customers: tuple[int, int]) -> float:
    loop = asyncio.get_running_loop()
    ends: list[asyncio.Future[int]] = [loop.create_future() for _ in range(clients)]
    began = perf_counter()
    for number, end in enumerate(ends):
        till = partial(Till, number, customers, began + seconds, end)
        await loop.create_connection(till, "127.0.0.1", ports[number % len(ports)])
    sent = sum(await asyncio.gather(*ends))
    return sent / (perf_counter() - began)


if __name__ == "__main__":
    given_ports, given_clients, given_seconds, lowest, highest = sys.argv[1:]
    ports = [int(port) for port in given_ports.split(",")]
    print(asyncio.run(main(ports, int(given_clients), float(given_seconds), (int(lowest), int(highest)))))
