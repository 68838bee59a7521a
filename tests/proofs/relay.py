"""A line between our processes and a server, which a test may cut or let fall silent."""

import asyncio
from contextlib import suppress


class Relay:
    """Passes bytes from a loopback port to a server and back.

    `cut`: connections end and none is taken. `fall_silent`: whatever is open carries nothing any more, and never will
    again; new connections are taken, and nobody answers. `mend`: new connections work, old ones stay as they are.
    """

    def __init__(self, target: str | tuple[str, int]) -> None:
        self._target = target
        self._server: asyncio.Server | None = None
        self._lines: list[tuple[asyncio.Task[None], asyncio.StreamWriter]] = []
        self._is_silent = False
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._take, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for task, writer in self._lines:
            task.cancel()
            writer.transport.abort()
        self._lines.clear()

    def fall_silent(self) -> None:
        self._is_silent = True
        for task, _ in self._lines:
            task.cancel()

    async def mend(self) -> None:
        self._is_silent = False
        if self._server is None:
            await self.open()

    async def close(self) -> None:
        await self.cut()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        line = asyncio.create_task(self._carry(reader, writer))
        self._lines.append((line, writer))

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_silent:
            await asyncio.Event().wait()
        if isinstance(self._target, str):
            there, back = await asyncio.open_unix_connection(self._target)
        else:
            there, back = await asyncio.open_connection(*self._target)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_copy(reader, back))
                both.create_task(_copy(there, writer))
        finally:
            # The server's side ends: it would hold locks for a client that is not there. Ours hears nothing of it.
            back.transport.abort()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
    sink.close()
