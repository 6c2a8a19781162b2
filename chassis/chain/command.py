"""What the chain adds to a service's command line: `verify`."""

import asyncio
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import asyncpg
import msgspec

from chassis.chain.links import Source
from chassis.chain.verifying import Finding, Head, still_said, still_there, verify
from chassis.db import Database
from chassis.vault import KeysUnusable, Vault

_DSN = ("postgresql://", "postgres://")


async def run(
    database_url: str, sources: Sequence[Source], keys: Path | None, *, against: str | None, save: Path | None
) -> int:
    """Prints what is not as it was sealed, and gives the exit code: 0 for nothing, 3 for rows that wait alone.

    `against` is a file of heads that `save` wrote before, or the DSN of another copy of the database, which is verified
    as well. With the master keys at `keys`, what is sealed is opened and compared as well.
    """
    older = None if against is None else await _older(against, sources)
    connection = await asyncpg.connect(database_url, timeout=10)
    try:
        report = await verify(connection, sources)
        findings = list(report.findings)
        if older is not None:
            findings += await still_there(connection, older)
    finally:
        await connection.close()
    findings += await _opened(database_url, sources, keys)
    print(f"{report.links} links in {len(report.heads)} chains")
    for finding in findings:
        print(finding, file=sys.stderr)
    if save is not None and not _wrong(findings):
        await asyncio.to_thread(save.write_bytes, msgspec.json.encode(report.heads, order="sorted") + b"\n")
    return 1 if _wrong(findings) else 3 if findings else 0


async def _opened(database_url: str, sources: Sequence[Source], keys: Path | None) -> list[Finding]:
    db = Database(database_url, pool_size=1, name="verify")
    try:
        return [each for source in sources for each in await still_said(db, Vault(db, keys), source)]
    except KeysUnusable as error:
        print(f"what is sealed was not opened: {error}", file=sys.stderr)
        return []
    finally:
        await db.close()


async def _older(against: str, sources: Sequence[Source]) -> Mapping[str, Head]:
    if not against.startswith(_DSN):
        return msgspec.json.decode(await asyncio.to_thread(Path(against).read_bytes), type=dict[str, Head])
    copy = await asyncpg.connect(against, timeout=10)
    try:
        report = await verify(copy, sources)
    finally:
        await copy.close()
    for finding in report.findings:
        print(f"in the other database: {finding}", file=sys.stderr)
    if _wrong(report.findings):
        raise SystemExit(1)
    return report.heads


def _wrong(findings: Sequence[Finding]) -> bool:
    return any(finding.what != "unsealed" for finding in findings)
