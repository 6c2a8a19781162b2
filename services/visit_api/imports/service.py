"""What is done with imports: taken, looked at; `storing` reads them."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.errors import NotFound
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from visit_api.imports import errors, files, mapping, reading, repository
from visit_api.imports.files import Received
from visit_api.imports.mapping import Source, SourceName, Thing
from visit_api.imports.models import Import, ImportFault
from visit_api.imports.reading import Encoding, Format, Layout

LIMIT = 1 << 30  # bytes of a file
_FORMATS: dict[str, Format] = {
    **dict.fromkeys(("text/csv", "application/csv"), "csv"),
    **dict.fromkeys(("application/x-ndjson", "application/ndjson", "application/jsonl"), "ndjson"),
}
_ANY = frozenset({"", "application/octet-stream", "text/plain"})
_ENCODINGS: dict[str, Encoding] = {
    **dict.fromkeys(("utf-8", "utf8"), "utf-8"),
    **dict.fromkeys(("gb18030", "gbk", "gb2312"), "gb18030"),  # each is a part of the next
}


class Wanted(NamedTuple):
    """What somebody sends a file of, from where, and what new things of it are whose line does not say it."""

    thing: Thing
    source: SourceName | None
    kind: str = "other.ordinary"
    roles: Sequence[str] = ()


async def add_import(
    tx: AsyncSession,
    runtime: Runtime,
    caller: Principal,
    received: Received,
    content_type: str,
    wanted: Wanted,
) -> Import:
    """Takes a file, to be read in its turn. Raises `UnsupportedExport`, and `Unprocessable` for a file of
    which no line could be read."""
    layout, source, start = _examined(received.head, content_type, wanted)
    id, now = new_id(), runtime.clock.now()  # noqa: A001
    # On disk before it is in the table: what is left over by a failing commit is cleared away.
    files.keep(files.folder_of(runtime), received, id)
    its = Import(
        id=id,
        unit_code=caller.unit,
        source=source.name,
        thing=wanted.thing,
        kind=wanted.kind,
        roles=sorted(set(wanted.roles)),
        layout=layout._asdict(),
        ignored=reading.ignored(layout.columns, source),
        size=received.size,
        sha256=received.sha256,
        state="waiting",
        position=start,
        next_line=1,
        read=0,
        stored=0,
        same=0,
        bad=0,
        received_at=now,
        received_by=caller.sub,
        updated_at=now,
    )
    tx.add(its)
    await tx.flush()
    return its


async def list_imports(tx: AsyncSession, caller: Principal, window: Window) -> Listing[Import]:
    """The imports that the caller sees."""
    return await repository.find_all(tx, caller.unit, window)


async def get_import(tx: AsyncSession, caller: Principal, id: UUID) -> Import:
    """The import `id`. Raises `NotFound`."""
    found = await repository.find(tx, caller.unit, id)
    if found is None:
        raise NotFound
    return found


async def list_faults(tx: AsyncSession, caller: Principal, id: UUID, window: Window) -> Listing[ImportFault]:
    """The lines of an import that were not taken. Raises `NotFound`."""
    await get_import(tx, caller, id)
    return await repository.faults(tx, id, window)


def _examined(head: bytes, content_type: str, wanted: Wanted) -> tuple[Layout, Source, int]:
    """How a file is written, whose it is, and at which byte its first line begins."""
    declared, encoding = _declared(content_type)
    if not head.strip():
        raise errors.empty()
    encoding = encoding or reading.encoding_of(head)
    if encoding is None or head.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise errors.unreadable()
    start = reading.head_length(head, encoding)
    its_format = declared or ("ndjson" if head[start:].lstrip().startswith(b"{") else "csv")
    if its_format == "csv":
        first, end, rest = head[start:].partition(b"\n")
        columns = reading.columns_of(first.decode(encoding, "replace").strip("\r"))
        if columns is None:
            raise errors.bad_head()
        source = _source_of([columns], wanted)
        if missing := [column for column in source.required if column not in columns]:
            raise errors.columns_missing(missing)
        if not rest.strip():
            raise errors.empty()
        return Layout("csv", encoding, columns), source, start + len(first) + len(end)
    lines = head[start:].decode(encoding, "replace").split("\n")
    named = [list(its) for line in lines if (its := reading.members(line)) is not None]
    return Layout("ndjson", encoding, []), _source_of(named, wanted), start


def _declared(content_type: str) -> tuple[Format | None, Encoding | None]:
    """What the sender says of the file. Raises `UnsupportedExport`."""
    media_type, *parameters = (part.strip().lower() for part in content_type.split(";"))
    said = dict(part.partition("=")[::2] for part in parameters if "=" in part)
    charset = said.get("charset", "").strip('"')
    if (media_type not in _FORMATS and media_type not in _ANY) or (charset and charset not in _ENCODINGS):
        raise errors.UnsupportedExport
    return _FORMATS.get(media_type), _ENCODINGS.get(charset)


def _source_of(named: Sequence[Sequence[str]], wanted: Wanted) -> Source:
    if wanted.source is not None:
        return mapping.source(wanted.thing, wanted.source)
    told = (mapping.told_by(wanted.thing, columns) for columns in named)
    found = next((source for source in told if source is not None), None)
    if found is None:
        raise errors.unknown_source()
    return found
