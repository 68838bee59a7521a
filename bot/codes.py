"""Reading the QR codes in pictures that strangers send: in a process of its own, which may take long or die of it."""

import asyncio
import io
import json
import sys
from contextlib import suppress

FORMATS = ("JPEG", "PNG", "WEBP")
PICTURES = frozenset({"image/jpeg", "image/png", "image/webp"})
"""Types of files that are looked into."""
MOST_PIXELS = 50_000_000
MOST_CODES = 5
SECONDS = 20


async def codes_in(picture: bytes) -> list[str]:
    """The texts of the QR codes in a picture, a few at most; none for what is no picture, too large, or takes too long.

    A process a picture: photos are few, and what a library makes of a bad one ends with it.
    """
    reader = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot.codes",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        told, _ = await asyncio.wait_for(reader.communicate(picture), SECONDS)
    except TimeoutError:
        return []
    finally:
        if reader.returncode is None:
            reader.kill()
            await reader.wait()
    with suppress(ValueError):
        texts: list[str] = json.loads(told)
        return texts
    return []


def read(picture: bytes) -> list[str]:
    """The texts of the QR codes in a picture. Only for the process of its own."""
    import zxingcpp  # noqa: PLC0415  who only asks need not load what reads
    from PIL import Image, UnidentifiedImageError  # noqa: PLC0415

    try:
        # Opening reads the header alone: nothing is unpacked before its size is known.
        with Image.open(io.BytesIO(picture), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                return []
            grey = image.convert("L")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return []
    found = zxingcpp.read_barcodes(grey, formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode))
    return [code.text for code in found[:MOST_CODES]]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(read(sys.stdin.buffer.read())))
