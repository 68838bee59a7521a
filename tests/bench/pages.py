"""What pages weigh over the wire, and how long the server takes for them: `python -m tests.bench.pages`.

The limit is 60 kB a page, everything it loads the first time included; later only the HTML travels.
"""

import asyncio
import re
import statistics
from time import perf_counter

import aiohttp

from regulars.seed import DEMO_LOGINS
from tests.bench._shop import seeded_shop, web_process

CUSTOMERS = 2_000
LIMIT_BYTES = 60_000
REPEATS = 30
CARD = "/customers/5?tab="
PAGES = {
    "/customers": "the client base, 50 rows",
    "/customers?q=ан&sort=sold": "the client base, searched and sorted",
    CARD + "profile": "the card: profile",
    CARD + "bonuses": "the card: bonuses",
    CARD + "receipts": "the card: receipts",
    "/cashier": "the till",
}


async def weigh(session: aiohttp.ClientSession, path: str) -> tuple[int, bytes]:
    """Bytes of the packed body, and the body."""
    async with session.get(path, headers={"Accept-Encoding": "gzip"}) as answer:
        packed = len(await answer.read())
        assert answer.status == 200, (path, answer.status)
    async with session.get(path, headers={"Accept-Encoding": "identity"}) as answer:
        return packed, await answer.read()


async def measure(base: str) -> None:
    email, password, _ = DEMO_LOGINS[0]
    headers = {"Sec-Fetch-Site": "same-origin", "Accept-Language": "ru"}
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address without a name
    async with aiohttp.ClientSession(base, headers=headers, cookie_jar=jar, auto_decompress=False) as session:
        async with session.post("/login", data={"email": email, "password": password}):
            pass
        print(f"{'page':<40} {'html':>7} {'first visit':>12} {'limit':>6}   server time, median and worst of {REPEATS}")
        for path, words in PAGES.items():
            html, body = await weigh(session, path)
            assets = set(re.findall(r'(?:src|href)="(/s/[^"]+)"', body.decode()))
            whole = html + sum([(await weigh(session, asset))[0] for asset in assets])
            times = []
            for _number in range(REPEATS):
                began = perf_counter()
                await weigh(session, path)
                times.append((perf_counter() - began) * 500)  # two requests
            middle, worst = statistics.median(times), max(times)
            print(f"{words:<40} {html:7} {whole:12} {whole / LIMIT_BYTES:6.2f}   {middle:.0f} ms, {worst:.0f} ms")


def main() -> None:
    with seeded_shop(CUSTOMERS) as shop, web_process(shop) as (base, _):
        asyncio.run(measure(base))


if __name__ == "__main__":
    main()
