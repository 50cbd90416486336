"""Whether the bytes of a picture file end where its format says they should.

OpenCV decodes a truncated JPEG into a picture whose lower part is grey and only prints a
warning, so a whole file has to be told from half of one before decoding.
"""

from __future__ import annotations

import re

# A marker in the scan data is FF and neither stuffing (00), a restart (D0-D7) nor fill (FF).
_MARKER = re.compile(rb"\xff([^\x00\xd0-\xd7\xff])")
_START_OF_IMAGE, _END_OF_IMAGE = 0xD8, 0xD9


def truncated(data: bytes) -> bool:
    """True where `data` is a JPEG, PNG, WebP or BMP file whose end is missing.

    Bytes after the end (a phone's motion picture, a maker's trailer) do no harm. Other formats
    give False: the decoder judges them.
    """
    if data.startswith(b"\xff\xd8"):
        return not _jpeg_ends(data)
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return not _png_ends(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return len(data) < int.from_bytes(data[4:8], "little") + 8
    if data.startswith(b"BM"):
        return not _bmp_ends(data)
    return False


def _jpeg_ends(data: bytes) -> bool:
    """Walk the segments: the end marker of a thumbnail inside one must not count."""
    place = 2
    while match := _MARKER.search(data, place):
        marker, place = match[1][0], match.end()
        if marker == _END_OF_IMAGE:
            return True
        if marker == _START_OF_IMAGE or marker == 0x01:
            continue
        length = int.from_bytes(data[place : place + 2], "big")
        if length < 2 or place + length > len(data):
            return False
        # After a start of scan the search itself runs over the scan data to the next marker.
        place += length
    return False


def _png_ends(data: bytes) -> bool:
    place = 8
    while place + 12 <= len(data):
        if data[place + 4 : place + 8] == b"IEND":
            return True
        place += int.from_bytes(data[place : place + 4], "big") + 12
    return False


def _bmp_ends(data: bytes) -> bool:
    if len(data) < 34:
        return False
    offset, header = (int.from_bytes(data[i : i + 4], "little") for i in (10, 14))
    if header < 40:
        return len(data) >= int.from_bytes(data[2:6], "little")
    width, height = (int.from_bytes(data[i : i + 4], "little", signed=True) for i in (18, 22))
    bits, compression = data[28], int.from_bytes(data[30:34], "little")
    # Compressed rows have no fixed length; there only the file size in the header tells.
    if compression in (1, 2):
        return len(data) >= int.from_bytes(data[2:6], "little")
    return len(data) >= offset + abs(height) * ((abs(width) * bits + 31) // 32 * 4)
