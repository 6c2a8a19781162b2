"""Small files of many types, as devices make them."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping


def png(width: int = 1, height: int = 1, text: str = "") -> bytes:
    """A picture that says it has so many pixels; `text` makes it another one."""
    head = struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0)
    said = _chunk(b"tEXt", b"c\0" + text.encode()) if text else b""
    pixels = _chunk(b"IDAT", zlib.compress(b"\0\0"))
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + said + pixels + _chunk(b"IEND", b"")


def jpeg(width: int = 1, height: int = 1) -> bytes:
    """The same as a photo."""
    start = b"\xff\xd8\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
    return start + b"\xff\xc0\0\x0b\x08" + struct.pack(">2H", height, width) + b"\1\1\x11\0" + b"\xff\xd9"


def webp(form: str = "VP8 ", width: int = 1, height: int = 1) -> bytes:
    """The same in one of the three forms of WebP."""
    its = {
        "VP8 ": b"\0\0\0\x9d\x01\x2a" + struct.pack("<2H", width, height),
        "VP8L": b"\x2f" + struct.pack("<I", (width - 1) | (height - 1) << 14),
        "VP8X": bytes(4) + (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little"),
    }[form]
    chunk = form.encode() + struct.pack("<I", len(its)) + its
    return b"RIFF" + struct.pack("<I", 4 + len(chunk)) + b"WEBP" + chunk


def heic(width: int = 1, height: int = 1) -> bytes:
    """The same as telephones make it, of tiles."""
    extents = [b"\0\0\0\x14ispe" + struct.pack(">3I", 0, *each) for each in ((512, 512), (width, height))]
    return HEIC + b"".join(extents)


def office(folder: str = "word", members: Mapping[str, bytes] | None = None) -> bytes:
    """A document as Word (`word`), Excel (`xl`) or PowerPoint (`ppt`) makes it."""
    its = io.BytesIO()
    with zipfile.ZipFile(its, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in {"[Content_Types].xml": b"<Types/>", f"{folder}/a.xml": b"<a/>", **(members or {})}.items():
            file.writestr(name, data)
    return its.getvalue()


PDF = b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
AMR = b"#!AMR\n" + bytes(60)
M4A = b"\0\0\0\x20ftypM4A \0\0\0\0M4A mp42isom\0\0\0\0" + bytes(60)
MP4 = b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41" + bytes(60)
WAV = b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0" + bytes(60)
MP3 = b"ID3\x03\0\0\0\0\0\x0f" + bytes(60)
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(60)
WORD = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(600)
HTML = b"<html><script>alert(1)</script></html>"
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
EXE = b"MZ" + bytes(600)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
