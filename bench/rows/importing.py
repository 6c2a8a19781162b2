"""P14: a marketing system's file of customers, beside a loop that only parses the same file and COPYs it.

Two such loops, for what is copied into is half of the answer: into the columns of the file as text, without an index;
and into the table of customers as it stands, with the indexes by which each is found again.
"""

import csv
import os
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from bench.children import settings
from bench.measure import Side, Stopwatch, interleave, profiled
from bench.outcome import Goal, Outcome
from bench.row import Row, Run
from bench.rows.meanwhile import TRACKER, told_meanwhile
from bench.tracker import TOPIC, WRITTEN
from chassis.garbage import spare_what_is_loaded
from chassis.ids import new_id
from chassis.runtime import Runtime
from chassis.web.tokens import Principal
from visit_api.imports import files, service
from visit_api.imports.files import HEAD, Received
from visit_api.imports.worker import Importing
from visit_api.settings import Settings

SERVICE = "visit_api"
LINES = int(os.environ.get("IMPORT_LINES", "100000"))  # 1000000: flat memory, and no slower at the end
BATCH = 2000
OURS, FILE, TABLE = "ours", "COPY of its columns", "COPY as customers"
COLUMNS = (
    *("CONS_NO", "CONS_NAME", "ELEC_ADDR", "ORG_NO", "CONS_SORT_CODE", "RRIO_CODE"),
    *("VOLT_CODE", "CONTRACT_CAP", "TG_NO", "MOBILE", "STATUS_CODE"),
)
UNITS = ("37401", "3740101", "3740102", "37402", "3740201")
TOP = "37"
_UNIT = """
INSERT INTO units (id, code, name, parent_code, version, content_digest, updated_at)
VALUES (gen_random_uuid(), $1, $1, $2, 1, '', now())
"""
_EMPTY = ("customers", "imports", "import_faults", "import_numbers", "import_units", "outbox")
_CUSTOMER = (
    *("id", "name", "kind", "unit_code", "customer_no", "accounts"),
    *("source", "source_no", "version", "content_digest", "updated_at"),
)


async def measure(run: Run) -> Sequence[Outcome]:
    """A line for each limit, and one for whoever has a complaint meanwhile."""
    path = _file(run.ground.folder / "customers.csv")
    async with _standing(run) as (runtime, connection):

        async def empty() -> None:
            await run.ground.clear(SERVICE, *_EMPTY)
            await connection.execute("TRUNCATE bare")
            await run.ground.rest()

        async def ours() -> float:
            await empty()
            return LINES / await _imported(runtime, path)

        async def of_file() -> float:
            await empty()
            return LINES / await _copied(connection, "bare", COLUMNS, path, tuple)

        async def as_customers() -> float:
            await empty()
            return LINES / await _copied(connection, "customers", _CUSTOMER, path, _customer)

        sides: dict[str, Side] = {OURS: ours, FILE: of_file, TABLE: as_customers}
        before = _resident()
        series = await interleave(run.say, "lines/s", run.rounds, sides)
        notes = [f"{_resident() - before:+.0f} MB after {(run.rounds + 1) * LINES:,} lines"]
        await empty()
        with profiled(15) as where:
            await _imported(runtime, path)
        await empty()
        await run.ground.clear_bus(TOPIC.name)
        await run.ground.database(TRACKER)
        await run.ground.clear(TRACKER, *WRITTEN)
        meanwhile = await told_meanwhile(run, runtime.bus, path, TOP, UNITS[0])
        work = f"{LINES:,} lines imported"
        lines = [
            Outcome("P14", work, "lines/s", Goal(0.4), series[OURS], name, series[name], notes, where[0])
            for name in (FILE, TABLE)
        ]
        return [*lines, meanwhile]


ROW = Row("P14", f"a file of {LINES:,} customers", measure)


def _file(path: Path) -> Path:
    chance = random.Random(1)
    with path.open("w", encoding="gb18030", newline="") as file:
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow(COLUMNS)
        for number in range(LINES):
            address = f"泉城路{chance.randint(1, 999)}号{chance.randint(1, 30)}-{chance.randint(101, 3302)}"
            phone = f"1{chance.choice('3578')}{chance.randint(0, 999_999_999):09d}"
            place = (f"{number:010d}", "王建国", address, chance.choice(UNITS), "03", "", "AC02202")
            writer.writerow((*place, f"8.{chance.randint(0, 999_999):06d}", f"{number % 9999:010d}", phone, "0"))
    return path


@asynccontextmanager
async def _standing(run: Run) -> AsyncIterator[tuple[Runtime, asyncpg.Connection]]:
    environment = await settings(run.ground, SERVICE, 1, "embedded")
    prefix = f"{SERVICE}_".upper()
    values: dict[str, Any] = {name.removeprefix(prefix).lower(): value for name, value in environment.items()}
    urls = await run.ground.database(SERVICE)
    await run.ground.clear(SERVICE, "units")
    connection = await asyncpg.connect(urls.migration)
    try:
        columns = ", ".join(f'"{column}" text' for column in COLUMNS)
        await connection.execute(f"CREATE TABLE bare ({columns})")
        for code, above in ((TOP, None), *((unit, TOP) for unit in UNITS)):
            await connection.execute(_UNIT, code, above)
        its = Settings(**{**values, "attachments_dir": run.ground.folder})
        async with Runtime(SERVICE, its) as runtime:
            spare_what_is_loaded()
            yield runtime, connection
        await connection.execute("DROP TABLE bare")
    finally:
        await connection.close()


async def _imported(runtime: Runtime, path: Path) -> float:
    data = path.read_bytes()
    folder = files.folder_of(runtime)
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / "sent"
    copy.write_bytes(data)
    received = Received(copy, len(data), sha256(data).hexdigest(), data[:HEAD])
    caller = Principal(sub="marketing", unit=TOP, roles=frozenset({"integration"}))
    watch, worker = Stopwatch(), Importing(runtime)
    async with runtime.db.transaction() as tx:
        wanted = service.Wanted("customers", "sg186")
        its = await service.add_import(tx, runtime, caller, received, "text/csv", wanted)
    while await worker.run_once():
        pass
    seconds = watch.seconds
    async with runtime.db.connection() as connection:
        stored = await connection.fetchval("SELECT stored FROM imports WHERE id = $1", its.id)
    if stored != LINES:
        raise RuntimeError(f"{stored} of {LINES} were stored")
    return seconds


async def _copied(connection: asyncpg.Connection, table: str, columns: Sequence[str], path: Path, row: Any) -> float:
    watch = Stopwatch()
    with path.open(encoding="gb18030", newline="") as file:
        reader = csv.reader(file)
        next(reader)
        while part := [row(each) for _, each in zip(range(BATCH), reader, strict=False)]:
            await connection.copy_records_to_table(table, records=part, columns=columns)
    return watch.seconds


_NOW = datetime(2026, 10, 9, tzinfo=UTC)


def _resident() -> float:
    """Megabytes that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE") / 1e6


def _customer(row: Sequence[str]) -> tuple[object, ...]:
    id_: UUID = new_id()
    return (id_, row[1], "other.ordinary", row[3], row[0], [], "sg186", row[0], 1, b"", _NOW)
