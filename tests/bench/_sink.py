"""Telegram's side of sending, in a process of its own: takes every message and says so. Prints nothing."""

import asyncio
import re
import sys

BODY = b'{"ok":true,"result":{"message_id":1,"date":1772000000,"chat":{"id":1,"type":"private"},"text":"x"}}'
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
LENGTH = re.compile(rb"content-length:\s*(\d+)", re.IGNORECASE)


class Sink(asyncio.Protocol):
    """Raw HTTP/1.1: what is measured is who sends."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._heard = b""

    def data_received(self, data: bytes) -> None:
        self._heard += data
        while True:
            head, separator, rest = self._heard.partition(b"\r\n\r\n")
            if not separator:
                return
            chunked = b"chunked" in head.lower()
            length = LENGTH.search(head)
            if chunked:
                end = rest.find(b"0\r\n\r\n")
                if end < 0:
                    return
                self._heard = rest[end + 5 :]
            elif length is not None:
                if len(rest) < int(length[1]):
                    return
                self._heard = rest[int(length[1]) :]
            else:
                self._heard = rest
            self._transport.write(ANSWER)


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Sink, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
