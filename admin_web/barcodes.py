"""Codes in the pictures that a till's camera takes: the QR code of a card, the bars of a plastic one."""

import asyncio
import io
from concurrent.futures import ThreadPoolExecutor

import zxingcpp
from PIL import Image, UnidentifiedImageError

LARGEST = 300_000
"""Bytes of a picture."""
LONGEST_SIDE = 1280
_FORMATS = zxingcpp.BarcodeFormats(
    [
        zxingcpp.BarcodeFormat.QRCode,
        zxingcpp.BarcodeFormat.EAN13,
        zxingcpp.BarcodeFormat.EAN8,
        zxingcpp.BarcodeFormat.Code128,
    ]
)
_READERS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="barcodes")


class NotAFrame(Exception):
    """What was sent is no JPEG, a broken one, or a larger one than a camera of ours sends."""


async def code_in(picture: bytes) -> str | None:
    """The text of a code in a JPEG; None for a picture without one. Raises NotAFrame.

    Reading takes a few tenths of a second at worst, in a thread: both libraries let others run meanwhile.
    """
    return await asyncio.get_running_loop().run_in_executor(_READERS, _read, picture)


def _read(picture: bytes) -> str | None:
    try:
        # The header tells the size: nothing is unpacked that is larger than a frame of ours.
        with Image.open(io.BytesIO(picture), formats=("JPEG",)) as image:
            if max(image.size) > LONGEST_SIDE:
                raise NotAFrame
            grey = image.convert("L")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise NotAFrame from None
    found = zxingcpp.read_barcodes(grey, formats=_FORMATS, try_invert=False)
    return found[0].text if found else None
