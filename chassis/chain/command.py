"""What the chain adds to a service's command line: `verify`.

Exit codes: 0 all is whole; 1 something is not; 3 all is whole but for rows that have been waiting for a moment; 4 what
could be looked at is whole, and something could not. What was left out by request is said, and is no fault.
"""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import asyncpg
import msgspec

from chassis.chain.links import Source
from chassis.chain.verifying import Finding, Head, Report, still_said, still_there, verify
from chassis.db import Database, address
from chassis.outage import is_outage
from chassis.vault import Vault

NO_FILES = "no"  # in place of a folder: files are left out
EVERY = 5.0  # seconds between two lines of progress

_DSN = ("postgresql://", "postgres://")
_UNKNOWN = frozenset({"unopened", "file unread"})


class Looked(NamedTuple):
    """A file that was looked at: its size, and what is wrong with it."""

    size: int
    finding: Finding | None = None


# The files that the rows of a database name, in the folder of the settings or in another one.
Files = Callable[[Database, Vault, Path | None], AsyncIterator[Looked]]


async def run(
    database_url: str,
    sources: Sequence[Source],
    keys: Path | None,
    files: Files | None = None,
    *,
    against: str | None = None,
    save: Path | None = None,
    folder: str | None = None,
) -> int:
    """Prints what is not as it was sealed, and gives the exit code.

    `against` is a file of heads that `save` wrote before, or the DSN of another copy of the database, which is verified
    as well. With the master keys at `keys`, what is sealed is opened and compared. `folder` is where the files lie: of
    the other copy, where `against` names one; or `no`.
    """
    copy = against is not None and against.startswith(_DSN)
    try:
        known = None if against is None or copy else await _saved(against)
    except (OSError, msgspec.MsgspecError) as error:
        print(f"{against} cannot be read: {error}", file=sys.stderr)
        return 2
    whole = _Copy(sources, keys, files)
    older = None
    try:
        if copy and against is not None:
            print("the other copy:")
            older = await whole.looked_at(against, folder)
        here = await whole.looked_at(database_url, NO_FILES if folder == NO_FILES else None if copy else folder, known)
        if older is not None:
            here.findings.extend(await _passes_through(database_url, older.heads))
    except Exception as error:
        if not isinstance(error, (OSError, asyncpg.PostgresError)) and not is_outage(error):
            raise
        print(f"nothing was verified: a database cannot be read: {_said(error)}", file=sys.stderr)
        return 2
    findings = [*(older.findings if older else ()), *here.findings]
    for finding in here.findings:
        print(finding, file=sys.stderr)
    for finding in older.findings if older else ():
        print(f"in the other copy: {finding}", file=sys.stderr)
    code = _code(findings, whole.unknown)
    if save is not None and code != 1:
        try:
            await asyncio.to_thread(save.write_bytes, msgspec.json.encode(here.heads, order="sorted") + b"\n")
        except OSError as error:
            print(f"the heads were not saved: {error}", file=sys.stderr)
            return 2
    return code


class _Looked(NamedTuple):
    heads: Mapping[str, Head]
    findings: list[Finding]


class _Copy:
    """Looks at copies of one database."""

    def __init__(self, sources: Sequence[Source], keys: Path | None, files: Files | None) -> None:
        self._sources, self._keys, self._files = sources, keys, files
        self.unknown = False

    async def looked_at(self, url: str, folder: str | None, known: Mapping[str, Head] | None = None) -> _Looked:
        report = await self._chains(url, known)
        print(f"{report.links} links in {len(report.heads)} chains", flush=True)
        findings = list(report.findings)
        db = Database(url, pool_size=1, name="verify")
        vault = Vault(db, self._keys)
        try:
            for source in self._sources:
                findings += await still_said(db, vault, source)
            if self._files is not None and folder == NO_FILES:
                print("files were left out", flush=True)
            elif self._files is not None:
                findings += await self._hashed(self._files(db, vault, Path(folder) if folder else None))
        except Exception as error:
            if not is_outage(error):
                raise
            self.unknown = True
            print(f"NOT VERIFIED: what is sealed, and the files it names, for {_said(error)}", file=sys.stderr)
        finally:
            await db.close()
        return _Looked(report.heads, findings)

    async def _chains(self, url: str, known: Mapping[str, Head] | None) -> Report:
        connection = await asyncpg.connect(address(url), timeout=10)
        try:
            report = await verify(connection, self._sources)
            more = await still_there(connection, known or {})
        finally:
            await connection.close()
        return report._replace(findings=[*report.findings, *more])

    async def _hashed(self, files: AsyncIterator[Looked]) -> list[Finding]:
        findings, count, size, said = [], 0, 0, time.monotonic()
        async for file in files:
            count, size = count + 1, size + file.size
            if file.finding is not None:
                findings.append(file.finding)
            if time.monotonic() - said >= EVERY:
                print(f"… {count} files, {size / 1e6:.0f} MB", flush=True)
                said = time.monotonic()
        print(f"{count} files, {size / 1e6:.1f} MB", flush=True)
        return findings


async def _saved(path: str) -> Mapping[str, Head]:
    return msgspec.json.decode(await asyncio.to_thread(Path(path).read_bytes), type=dict[str, Head])


async def _passes_through(url: str, heads: Mapping[str, Head]) -> list[Finding]:
    connection = await asyncpg.connect(address(url), timeout=10)
    try:
        return await still_there(connection, heads)
    finally:
        await connection.close()


def _said(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _code(findings: Sequence[Finding], unknown: bool) -> int:
    seen = {finding.what for finding in findings}
    if seen - _UNKNOWN - {"unsealed"}:
        return 1
    return 4 if unknown or seen & _UNKNOWN else 3 if seen else 0
