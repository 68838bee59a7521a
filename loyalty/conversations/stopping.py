"""Links by which a reader ends advertising where nobody can answer STOP: under SMS and e-mails. Pure."""

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import replace

from loyalty.conversations.content import Capabilities, Content, fit

PATH = "/stop"
STOP_WORDS: Mapping[str, str] = {
    "en": "No more such messages",
    "ru": "Больше не присылать",
    "uk": "Більше не надсилати",
}
"""What stands before the link that ends advertising."""
_SEAL = 16
_DIGITS = 15


def stop_key(secret: str) -> bytes:
    """The key of these links, drawn from the installation's secret: with another secret the old ones end."""
    return hmac.digest(secret.encode(), b"stop", hashlib.sha256)


def stop_links(key: bytes, public_url: str) -> Callable[[int], str]:
    """The link of each account."""
    return lambda account_id: f"{public_url}{PATH}/{account_id:x}-{_seal(key, account_id)}"


def account_of(key: bytes, token: str) -> int | None:
    """Whose link it is; None for one that is not ours."""
    number, _, seal = token.partition("-")
    if not (number.isascii() and number.isalnum() and len(number) <= _DIGITS):
        return None
    try:
        account_id = int(number, 16)
    except ValueError:
        return None
    return account_id if hmac.compare_digest(seal.encode(), _seal(key, account_id).encode()) else None


def with_stop(content: Content, able: Capabilities, language: str, url: str, *, before: str) -> Content:
    """What is said with what a channel can do, and the link that ends such advertising as its last line.

    The link is never cut: what stands before it, and before `before`, is. Without an address there is no such line.
    """
    if not url:
        return fit(content, able, language)
    ending = f"{before}{STOP_WORDS.get(language, STOP_WORDS['en'])}: {url}"
    room = able.text_length - len(ending)
    fitted = fit(content, replace(able, text_length=room, caption_length=room), language)
    return replace(fitted, text=f"{fitted.text}{ending}")


def _seal(key: bytes, account_id: int) -> str:
    return hmac.digest(key, str(account_id).encode(), hashlib.sha256).hex()[:_SEAL]
