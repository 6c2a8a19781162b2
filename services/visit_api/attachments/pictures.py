"""How many pixels a picture has by its own account: a few bytes can say it is a wall of them."""

import struct
from pathlib import Path
from typing import BinaryIO

# Markers of JPEG that start a frame, and those that stand alone.
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_MARKS = 10_000  # of them, filling too, that are looked at: photos have some hundreds before their frame

_SEARCHED = 1 << 20  # bytes of a HEIC: what it says of itself stands at its beginning


def pixels(path: Path, media_type: str) -> int | None:
    """Width times height; 0 for a picture that does not say. None for what is not known: a type that is not looked
    into, or a HEIC that says it elsewhere than telephones do, which is then taken as it is."""
    look = {"image/png": _png, "image/jpeg": _jpeg, "image/webp": _webp, "image/heic": _heic}.get(media_type)
    if look is None:
        return None
    with path.open("rb") as file:
        try:
            return look(file)
        except struct.error:
            return 0


def _png(file: BinaryIO) -> int:
    width, height = struct.unpack(">16x2I", file.read(24))
    return int(width * height)


def _jpeg(file: BinaryIO) -> int:
    file.seek(2)
    for _ in range(_MARKS):
        (sign, marker) = struct.unpack(">2B", file.read(2))
        if sign != 0xFF:
            return 0
        if marker == 0xFF:  # filling
            file.seek(-1, 1)
        elif marker not in _ALONE:
            (length,) = struct.unpack(">H", file.read(2))
            if marker in _FRAMES:
                height, width = struct.unpack(">x2H", file.read(5))
                return int(width * height)
            file.seek(max(length - 2, 0), 1)
    return 0


def _heic(file: BinaryIO) -> int | None:
    """The largest of the extents that are said: the others are those of its tiles, and of the small picture of it."""
    said = file.read(_SEARCHED).split(b"ispe")[1:]
    extents = [struct.unpack(">2I", each[4:12]) for each in said if len(each) >= 12]
    return max((width * height for width, height in extents), default=None)


def _webp(file: BinaryIO) -> int:
    head = file.read(30)
    form = head[12:16]
    if form == b"VP8X":
        width, height = int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    elif form == b"VP8L":
        (bits,) = struct.unpack("<I", head[21:25])
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    else:
        width, height = struct.unpack("<2H", head[26:30])
        width, height = width & 0x3FFF, height & 0x3FFF
    return width * height
