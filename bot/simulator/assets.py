"""The page's own style and script under URLs that hold a hash of the content, and its icons."""

import functools
import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web
from lucide import lucide_icon  # type: ignore[import-untyped]
from markupsafe import Markup

FOLDER = Path(__file__).parent / "static"
CONTENT_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, as it is and compressed; `path` is below the page's address."""

    body: bytes
    packed: bytes
    path: str
    content_type: str


@functools.cache
def assets() -> dict[str, Asset]:
    """All files by name, read when first asked for."""
    return {path.name: read(path) for path in sorted(FOLDER.iterdir()) if path.suffix in CONTENT_TYPES}


def read(path: Path) -> Asset:
    """One file of the folder."""
    body = path.read_bytes()
    digest = hashlib.sha256(body).hexdigest()[:12]
    return Asset(body, gzip.compress(body, 9, mtime=0), f"/s/{digest}/{path.name}", CONTENT_TYPES[path.suffix])


@functools.cache
def icon(name: str) -> Markup:
    """An icon as inline SVG, hidden from screen readers."""
    svg = lucide_icon(name, cls="i", stroke_width="1.75")
    # Safe: the wheel's own drawing; names come from the template.
    return Markup(svg.replace("<svg ", '<svg aria-hidden="true" ', 1).replace("\n", ""))  # noqa: S704


async def serve(request: web.Request) -> web.Response:
    """A file; only its current hash may be kept for ever."""
    found = assets().get(request.match_info["name"])
    if found is None:
        raise web.HTTPNotFound
    is_current = request.path.endswith(found.path)
    headers = {"Cache-Control": FOREVER if is_current else "no-cache", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return web.Response(body=found.packed, content_type=found.content_type, charset="utf-8", headers=headers)
    return web.Response(body=found.body, content_type=found.content_type, charset="utf-8", headers=headers)
