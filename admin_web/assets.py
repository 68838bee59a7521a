"""Files the browser needs: our own and htmx out of its wheel, under URLs that hold a hash of the content."""

import functools
import gzip
import hashlib
import importlib.resources
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from lucide import lucide_icon  # type: ignore[import-untyped]
from markupsafe import Markup

OWN_FOLDER = Path(__file__).parent / "static"
WHEEL_FILES = {"htmx.js": importlib.resources.files("django_htmx") / "static/django_htmx/htmx-2.min.js"}
CONTENT_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, read once: as it is and compressed."""

    body: bytes
    packed: bytes
    url: str
    content_type: str


@functools.cache
def assets() -> dict[str, Asset]:
    """All files by name, read when first asked for."""
    own = {path.name: path for path in sorted(OWN_FOLDER.iterdir()) if path.suffix in CONTENT_TYPES}
    return {name: _read(name, file.read_bytes()) for name, file in (own | WHEEL_FILES).items()}


def asset(name: str) -> str:
    """The URL of a file; its hash changes with its content, so browsers keep it for ever."""
    return assets()[name].url


@functools.lru_cache(512)
def icon(name: str, classes: str = "") -> Markup:
    """An icon as inline SVG, hidden from screen readers: the words beside it, or an aria-label, speak."""
    svg = lucide_icon(name, cls=f"i {classes}".strip(), stroke_width="1.75")
    # Safe: the wheel's own drawing; names come from templates, never from input.
    return Markup(svg.replace("<svg ", '<svg aria-hidden="true" ', 1).replace("\n", ""))  # noqa: S704


async def serve(request: web.Request) -> web.Response:
    """GET /s/{hash}/{name}. A page of another version may ask for an older hash: it gets this version's file."""
    found = assets().get(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    is_current = found.url == request.path
    headers = {"Cache-Control": FOREVER if is_current else "no-cache", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return web.Response(body=found.packed, content_type=found.content_type, charset="utf-8", headers=headers)
    return web.Response(body=found.body, content_type=found.content_type, charset="utf-8", headers=headers)


def _read(name: str, body: bytes) -> Asset:
    digest = hashlib.sha256(body).hexdigest()[:12]
    return Asset(
        body=body,
        packed=gzip.compress(body, 9, mtime=0),
        url=f"/s/{digest}/{name}",
        content_type=CONTENT_TYPES[Path(name).suffix],
    )


ROUTES = (web.get("/s/{hash}/{name}", serve),)
