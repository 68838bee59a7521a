"""Slowing down guesses, counted in Redis.

Passwords: free tries first, then one try per window, and the windows grow; by account and by address, whether or
not the account exists. Codes of cards: a few wrong ones a window, by the person or program that sends them.
Pictures of a till's camera: a few a second by person, because reading them is work. Links under messages: wrong codes
by address, and a link opened again within seconds counts once.
"""

import hashlib

from redis.asyncio import Redis

FREE_BY_ACCOUNT = 5
FREE_BY_ADDRESS = 20
MEMORY_SECONDS = 3600
LONGEST_WAIT_SECONDS = 900

SCAN_PAUSE_MS = 200

FREE_CODES = 10
CODES_SECONDS = 300

FREE_LINKS = 60
LINKS_SECONDS = 300
SAME_CLICK_SECONDS = 3


async def seconds_to_wait(redis: Redis, email: str, address: str) -> int:
    """0 when this try may go on, and counts it; else how long to wait, and counts nothing."""
    names = _names(email, address)
    waits = [await redis.ttl(f"login:wait:{name}") for name in names]
    if max(waits) > 0:
        return int(max(waits))
    for name, free in zip(names, (FREE_BY_ACCOUNT, FREE_BY_ADDRESS), strict=True):
        wait = await _count(redis, name, free)
        if wait:
            return wait
    return 0


async def forgive(redis: Redis, email: str, address: str) -> None:
    """The person was who they said: forget the tries at this account, and this one at the address.

    The address keeps its wrong ones: somebody who has one account may be guessing at others. The right ones do
    not count, because a whole shop may sit behind one address.
    """
    account, place = _names(email, address)
    await redis.delete(f"login:tries:{account}", f"login:wait:{account}")
    await redis.decr(f"login:tries:{place}")


async def seconds_to_wait_for_code(redis: Redis, guesser: int | str) -> int:
    """0 when this person (an id) or program may try a code, and counts it as a wrong one; else how long to wait.

    Counted before it is looked at: tries that arrive together do not pass together. A right one is taken off by
    `forgive_code`.
    """
    return await _counted(redis, _codes(guesser), FREE_CODES, CODES_SECONDS)


async def forgive_code(redis: Redis, guesser: int | str) -> None:
    """The code was right, and does not count. Those before it do: one's own card must not buy new guesses."""
    await redis.decr(_codes(guesser))


async def seconds_to_wait_for_link(redis: Redis, address: str) -> int:
    """0 when an address may open a link, and counts it as a wrong one; else how long to wait. See `forgive_link`."""
    return await _counted(redis, _links(address), FREE_LINKS, LINKS_SECONDS)


async def forgive_link(redis: Redis, address: str) -> None:
    """The link was ours, and does not count: a whole town may sit behind one address."""
    await redis.decr(_links(address))


async def counts_again(redis: Redis, code: str) -> bool:
    """Whether opening this link is a new click, and not the same one once more."""
    return bool(await redis.set(f"click:{code}", "1", nx=True, ex=SAME_CLICK_SECONDS))


async def may_scan(redis: Redis, person: int) -> bool:
    """Whether a person's camera may send a picture now, and counts it."""
    return bool(await redis.set(f"scan:{person}", "1", nx=True, px=SCAN_PAUSE_MS))


async def _count(redis: Redis, name: str, free: int) -> int:
    tries = await redis.incr(f"login:tries:{name}")
    await redis.expire(f"login:tries:{name}", MEMORY_SECONDS)
    if tries <= free:
        return 0
    window = min(2 ** (tries - free), LONGEST_WAIT_SECONDS)
    # Many tries may arrive at once: the one that opens the window goes on, the others wait for its end.
    if await redis.set(f"login:wait:{name}", "1", nx=True, ex=window):
        return 0
    return max(1, int(await redis.ttl(f"login:wait:{name}")))


def _links(address: str) -> str:
    # Hashed, so that Redis holds no addresses of people.
    return f"links:{hashlib.sha256(address.encode()).hexdigest()}"


async def _counted(redis: Redis, name: str, free: int, seconds: int) -> int:
    """Count a try in its window: 0 while it is one of the free ones, else how long the window goes on."""
    async with redis.pipeline(transaction=True) as commands:
        commands.set(name, 0, nx=True, ex=seconds)
        commands.incr(name)
        commands.ttl(name)
        _made, tries, left = await commands.execute()
    if left < 0:  # a right one was taken off just after its window had ended
        await redis.expire(name, seconds)
        left = seconds
    return max(1, int(left)) if tries > free else 0


def _codes(guesser: int | str) -> str:
    return f"codes:{guesser}"


def _names(email: str, address: str) -> tuple[str, str]:
    # Hashed, so that Redis holds no addresses of people.
    return (
        "account:" + hashlib.sha256(email.strip().lower().encode()).hexdigest(),
        "address:" + hashlib.sha256(address.encode()).hexdigest(),
    )
