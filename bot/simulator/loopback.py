"""Nothing leaves the machine: the stand-ins call nobody else's addresses."""

import ipaddress
from urllib.parse import urlsplit


def is_loopback(url: str) -> bool:
    """Whether it is an http(s) address of this very machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        is_here = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
    return is_here and parts.scheme in {"http", "https"}
