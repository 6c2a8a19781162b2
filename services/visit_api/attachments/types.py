"""What a file is, told from its bytes and never from its name; and what it may be. The names of files made harmless."""

import io
import re
import unicodedata
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from visit_api.attachments.pictures import pixels

_HEAD = 4096  # bytes by which a type is told
_MOST_PIXELS = 150_000_000  # of a picture; the largest cameras of telephones make 200 million, and nobody needs those
# Of an Office document, which is a ZIP: what it may come to once unpacked.
_MOST_UNPACKED, _MOST_TIMES, _MOST_MEMBERS = 512 << 20, 200, 10_000
_MOST_LISTED = 2 << 20  # bytes of its table of contents
_OFFICE = "application/vnd.openxmlformats-officedocument."


class Type(NamedTuple):
    """A media type, the endings its files may have (the first is the usual one), and the kinds that may be of it."""

    media_type: str
    endings: tuple[str, ...]
    kinds: frozenset[str]


def _types(kinds: str, *types: tuple[str, str]) -> list[Type]:
    return [Type(media_type, tuple(endings.split()), frozenset(kinds.split())) for media_type, endings in types]


ALLOWED = (
    *_types("photo document signature", ("image/png", "png"), ("image/jpeg", "jpg jpeg jpe jfif")),
    *_types("photo document", ("image/webp", "webp"), ("image/heic", "heic heif")),
    *_types(
        "audio",
        ("audio/mpeg", "mp3 mpga"),
        ("audio/mp4", "m4a f4a"),
        ("audio/amr", "amr"),
        ("audio/3gpp", "3ga 3gp"),
        ("audio/wav", "wav"),
        ("audio/ogg", "ogg oga opus"),
        ("audio/aac", "aac"),
    ),
    *_types(
        "document",
        ("application/pdf", "pdf"),
        ("application/msword", "doc wps"),
        ("application/vnd.ms-excel", "xls et"),
        ("application/vnd.ms-powerpoint", "ppt dps"),
        (f"{_OFFICE}wordprocessingml.document", "docx"),
        (f"{_OFFICE}spreadsheetml.sheet", "xlsx"),
        (f"{_OFFICE}presentationml.presentation", "pptx"),
    ),
)
_BY_ENDING: Mapping[str, Type] = {ending: its for its in ALLOWED for ending in its.endings}
_BINARY_OFFICE = frozenset(_BY_ENDING[ending] for ending in ("doc", "xls", "ppt"))  # told apart by their names alone
_ZIPPED = {"word/": "docx", "xl/": "xlsx", "ppt/": "pptx"}

# Signs that mean something to a file system or a shell, or turn the direction of what is read.
_UNFIT = re.compile(r'[<>:"|?*\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]')
_LONGEST = 120  # signs of a name, its ending included


def sniff(path: Path, name: str) -> Type | None:
    """The type of the file at `path`, of those that are allowed; None for any other."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(b"PK"):
        return _zipped(path)
    its = _told(head)
    if its in _BINARY_OFFICE:
        named = _BY_ENDING.get(_ending(name))
        return named if named in _BINARY_OFFICE else its
    return its


def is_sound(path: Path, its: Type) -> bool:
    """Whether a file can be opened without bursting: its members, or its pixels, are within bounds."""
    if its.media_type.startswith(_OFFICE):
        return _unpacks(path)
    if its.media_type.startswith("image/"):
        size = pixels(path, its.media_type)
        return size is None or 0 < size <= _MOST_PIXELS
    return True


def fits(name: str, its: Type) -> bool:
    """Whether a name says nothing else: an ending that no type has says nothing."""
    return _BY_ENDING.get(_ending(name), its) == its


def harmless(name: str) -> str:
    """A name without path, without signs that any system reads as something else, of a bearable length."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    last = _UNFIT.sub("", last).strip(" .")
    stem, dot, ending = last.rpartition(".")
    if dot and len(ending) <= 8:
        last = f"{stem[: _LONGEST - len(ending) - 1]}.{ending}"
    return last[:_LONGEST] or "attachment"


def with_ending(name: str, its: Type) -> str:
    """The name with an ending of its type, so that whoever saves it can open it and nothing runs it."""
    return name if _ending(name) in its.endings else f"{name}.{its.endings[0]}"


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def _told(head: bytes) -> Type | None:
    import puremagic  # its tables are of use for uploads alone

    try:
        found = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return None
    endings = [match.extension.lstrip(".") for match in sorted(found, key=lambda match: -match.confidence)]
    return next((_BY_ENDING[ending] for ending in endings if ending in _BY_ENDING), None)


class _Sparing(io.BufferedReader):
    """Gives no more than so much at once: the table of contents of a ZIP is read whole, before anybody can count what
    is in it, and might be all of the file."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MOST_LISTED:
            raise zipfile.BadZipFile
        return super().read(size)


def _zipped(path: Path) -> Type | None:
    try:
        with _Sparing(io.FileIO(path)) as bytes_of, zipfile.ZipFile(bytes_of) as file:
            names = file.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return None
    if "[Content_Types].xml" not in names or any(name.lower().endswith("vbaproject.bin") for name in names):
        return None
    folders = [folder for folder in _ZIPPED if any(name.startswith(folder) for name in names)]
    return _BY_ENDING[_ZIPPED[folders[0]]] if len(folders) == 1 else None


def _unpacks(path: Path) -> bool:
    most = min(_MOST_UNPACKED, _MOST_TIMES * path.stat().st_size)
    try:
        with _Sparing(io.FileIO(path)) as bytes_of, zipfile.ZipFile(bytes_of) as file:
            members = file.infolist()
            if len(members) > _MOST_MEMBERS or sum(member.file_size for member in members) > most:
                return False
            for member in members:  # what a member says of itself may be a lie: its sum would not be right then
                with file.open(member) as its:
                    while its.read(1 << 20):
                        pass
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, OSError, zlib.error):
        return False
    return True
