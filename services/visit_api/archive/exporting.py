"""An archived visit as one ZIP: the record as data, as a page in both languages, its files, and the hashes of all that.

The same archive is always the same bytes, so that a copy can be told by its hash.
"""

import asyncio
import hashlib
import logging
import zipfile
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

import msgspec

from chassis.web.errors import Language
from visit_api.archive import page
from visit_api.archive.page import Signature
from visit_api.attachments.store import Store
from visit_api.civil import CHINA

log = logging.getLogger(__name__)

SUMS = "SHA256SUMS"
_LANGUAGES: tuple[tuple[str, Language], ...] = (("zh-CN", "zh"), ("en", "en"))
_LARGEST_SIGNATURE = 2 << 20  # bytes; a larger one is in the export, not on the page


class File(NamedTuple):
    """A file of an export; `read` gives its bytes when it is its turn, and `sha256` is what they are to hash to."""

    name: str
    read: Callable[[], AsyncIterator[bytes]]
    sha256: str
    level: int = 6  # of compression


class _Sink:
    """What a ZIP is written into, and taken from bit by bit; nobody can go back in it."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._written.append(bytes(data))
        return len(data)

    def flush(self) -> None: ...
    def close(self) -> None: ...

    def take(self) -> bytes:
        taken, self._written = b"".join(self._written), []
        return taken


def attached(archive: dict[str, Any]) -> list[dict[str, Any]]:
    """The files of a visit, of its record and its supplements, each once."""
    entries = [archive["record"], *archive["supplements"]]
    found = {each["id"]: each for entry in entries for each in entry["record"].get("attachments", ())}
    return list(found.values())


async def signatures(store: Store, archive: dict[str, Any]) -> list[Signature]:
    """What the customer drew, of a bearable size; one whose file is not to be had as it was is named all the same."""
    drawn = [each for each in attached(archive) if each["kind"] == "signature" and each["size"] <= _LARGEST_SIGNATURE]
    return [Signature(each["media_type"], await _bytes(store, each["sha256"]), each["stored_at"]) for each in drawn]


async def _bytes(store: Store, sha256: str) -> bytes | None:
    try:
        data = b"".join([chunk async for chunk in store.open(sha256)])
    except OSError as error:
        log.error("a file that the store should keep cannot be read", extra={"sha256": sha256}, exc_info=error)
        return None
    return data if _unaltered(hashlib.sha256(data).hexdigest(), sha256) else None


def _unaltered(found: str, sha256: str) -> bool:
    """Whether what was `found` is what was stored; where it is not, the log says so."""
    if found != sha256:
        log.error("a file in the store is not what was stored", extra={"sha256": sha256, "found": found})
    return found == sha256


async def files(store: Store, archive: dict[str, Any]) -> list[File]:
    """What an export holds, before the hashes."""
    drawn = await signatures(store, archive)
    data = msgspec.json.format(msgspec.json.encode(archive, order="deterministic"), indent=2)
    pages = [
        _fixed(f"record.{tag}.html", page.render(archive, drawn, language).encode()) for tag, language in _LANGUAGES
    ]
    names = [
        (f"attachments/{number:02}-{each['name']}", each["sha256"]) for number, each in enumerate(attached(archive), 1)
    ]
    return [
        _fixed("record.json", data),
        *pages,
        *(File(name, partial(store.open, sha256), sha256, level=1) for name, sha256 in names),
    ]


async def packed(its: Sequence[File], at: datetime) -> AsyncIterator[bytes]:
    """The ZIP, made while it is sent; `SHA256SUMS` in it is what `sha256sum -c` takes. It says what was archived: of a
    file that was altered in the store since, that check fails."""
    sink, sums = _Sink(), []
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in its:
            digest = hashlib.sha256()
            with archive.open(_info(file, at), "w", force_zip64=True) as out:
                async for chunk in file.read():
                    digest.update(chunk)
                    await asyncio.to_thread(out.write, chunk)
                    yield sink.take()
            _unaltered(digest.hexdigest(), file.sha256)
            sums.append(f"{file.sha256}  {file.name}\n")
        archive.writestr(_info(_fixed(SUMS, b""), at), "".join(sums))
    yield sink.take()


def _fixed(name: str, data: bytes) -> File:
    async def read() -> AsyncIterator[bytes]:
        yield data

    return File(name, read, hashlib.sha256(data).hexdigest())


def _info(file: File, at: datetime) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(file.name, at.astimezone(CHINA).timetuple()[:6])
    info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
    info._compresslevel = file.level  # type: ignore[attr-defined]
    return info
