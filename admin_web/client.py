"""Who is at the other end: the address behind proxies we trust, the scheme, the device."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address

from aiohttp import web

from admin_web.keys import CLIENT, SETTINGS, Client

LOCAL = "127.0.0.1"
# First match wins: phones name their desktop cousins too.
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
BROWSERS = (
    (r"YaBrowser/", "Yandex"),
    (r"Edg(e|A|iOS)?/", "Edge"),
    (r"OPR/|Opera", "Opera"),
    (r"SamsungBrowser/", "Samsung Internet"),
    (r"Firefox/|FxiOS/", "Firefox"),
    (r"Chrome/|CriOS/", "Chrome"),
    (r"Safari/", "Safari"),
)


def client_of(request: web.Request) -> Client:
    """Read the peer, and X-Forwarded-* only when the peer is a trusted proxy.

    The right-most address that is not ours is the client's: what stands left of it anybody may have written.
    """
    if CLIENT in request:
        return request[CLIENT]
    peer = request.remote or LOCAL
    is_forwarded = "X-Forwarded-For" in request.headers
    secure = request.secure
    if is_trusted(request, peer):
        hops = [hop.strip() for hop in request.headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
        while hops and is_trusted(request, hops[-1]):
            peer = hops.pop()
        peer = hops[-1] if hops and _parsed(hops[-1]) else peer
        secure = request.headers.get("X-Forwarded-Proto", "https" if secure else "http") == "https"
    request[CLIENT] = Client(address=peer, is_secure=secure, is_forwarded=is_forwarded)
    return request[CLIENT]


def is_trusted(request: web.Request, address: str) -> bool:
    """Whether a proxy of ours has this address."""
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in request.app[SETTINGS].trusted_proxies)


def is_local(request: web.Request) -> bool:
    """Whether the request comes from this machine, or straight from a trusted address."""
    client = client_of(request)
    parsed = _parsed(client.address)
    # Behind a proxy that is not named as trusted, everybody seems to be local: a forwarded request is not.
    if parsed is None or (client.is_forwarded and parsed.is_loopback):
        return False
    return parsed.is_loopback or is_trusted(request, client.address)


def device_of(agent: str) -> str:
    """A browser and a system out of a user agent: "Chrome, Android"; empty when it tells nothing."""
    browser = next((name for pattern, name in BROWSERS if re.search(pattern, agent)), "")
    system = next((name for sign, name in SYSTEMS if sign in agent), "")
    return ", ".join(part for part in (browser, system) if part)


def _parsed(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return parsed.ipv4_mapped or parsed if isinstance(parsed, IPv6Address) else parsed
