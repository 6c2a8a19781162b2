"""A file that is read while people work, and by a process that is killed: real processes, real sockets."""

import asyncio
import random
import statistics
from typing import Any
from uuid import UUID

import asyncpg
import httpx
import pytest

from tests.faults.conftest import Begin
from tests.faults.ledger import PARENT, UNIT
from tests.faults.load import Load
from tests.faults.test_within_a_second import until_it_runs
from tests.support.eventually import eventually

ENDS_WITHIN = 120.0  # seconds
HEAD = "CONS_NO,CONS_NAME,ELEC_ADDR,ORG_NO,MOBILE"


async def send(load: Load, lines: int) -> UUID:
    """A file with a bad line among every thousand, and one that comes twice."""
    its = [f"{n:010d},王建国,泉城路{n}号,{UNIT if n % 1000 else '99999'},138{n:08d}" for n in range(lines)]
    body = "\n".join([HEAD, *its, its[1], ""]).encode()
    headers = {"Authorization": f"Bearer {load.services.token('integration', PARENT, 'marketing')}"}
    async with httpx.AsyncClient(timeout=30) as client:
        url = load.services.url("visit_api")
        answer = await client.post(f"{url}/v1/customers/import", content=body, headers=headers)
    assert answer.status_code == 202, answer.text
    return UUID(answer.json()["id"])


async def state(load: Load, id_: UUID) -> dict[str, Any]:
    answer = await load.client.look("visit_api", f"/v1/imports/{id_}")
    assert answer.status_code == 200, answer.text
    its: dict[str, Any] = answer.json()
    return its


async def ended(load: Load, id_: UUID) -> dict[str, Any]:
    async def done() -> dict[str, Any] | None:
        try:
            its = await state(load, id_)
        except httpx.TransportError as error:
            raise AssertionError from error
        return its if its["state"] == "done" else None

    its: dict[str, Any] = await eventually(done, within=ENDS_WITHIN)
    return its


async def hold(load: Load, its: dict[str, Any], lines: int) -> None:
    """Every good line is a customer, told once; every bad one is named."""
    bad = -(-lines // 1000) + 1
    assert (its["read"], its["stored"], its["same"], its["bad"]) == (lines + 1, lines + 1 - bad, 0, bad)
    connection = await asyncpg.connect(load.services.admin("visit_api"))
    try:
        rows = await connection.fetch("SELECT customer_no FROM customers WHERE source = 'sg186' ORDER BY customer_no")
        assert [row[0] for row in rows] == [f"{n:010d}" for n in range(lines) if n % 1000]
        told = await connection.fetchrow(
            "SELECT count(*), count(DISTINCT o.aggregateid) FROM outbox o"
            " JOIN customers c ON c.id::text = o.aggregateid WHERE c.source = 'sg186'"
        )
        assert tuple(told) == (lines + 1 - bad,) * 2
        faults = await connection.fetch("SELECT line FROM import_faults ORDER BY line")
        assert [row[0] for row in faults] == [*range(1, lines + 1, 1000), lines + 1]
    finally:
        await connection.close()


async def killed_and_read(load: Load, lines: int, kills: int, chance: random.Random) -> None:
    """Sends a file, kills its reader again and again half way, and waits for its end."""
    id_ = await send(load, lines)
    for nth in range(kills):
        await load.services.until_ready()

        async def is_further(past: int = lines * nth // (kills + 1)) -> bool:
            its = await state(load, id_)
            assert its["state"] == "waiting", "it was read before it could be killed"
            return bool(its["read"] > past)

        await eventually(is_further, within=ENDS_WITHIN)
        await asyncio.sleep(chance.uniform(0, 0.2))
        load.services.kill("visit_api")
    await load.services.until_ready()
    await hold(load, await ended(load, id_), lines)


async def test_an_import_whose_process_is_killed_goes_on_and_ends_with_exactly_its_lines(begin: Begin) -> None:
    async with begin(names=("visit_api",)) as load:
        await killed_and_read(load, 12_000, 1, random.Random(1))
        assert len(load.services.deaths) == 1


@pytest.mark.long
@pytest.mark.timeout(900)
async def test_an_import_is_killed_again_and_again(begin: Begin) -> None:
    async with begin(names=("visit_api",)) as load:
        await killed_and_read(load, 100_000, 12, random.Random(2))
        assert len(load.services.deaths) == 12


@pytest.mark.parametrize(
    "bus", ["embedded", pytest.param("kafka", marks=[pytest.mark.kafka, pytest.mark.long])], indirect=True
)
async def test_a_complaint_does_not_wait_for_an_import(begin: Begin, bus: str | None) -> None:
    """The promise is a second; how busy the machine is with both is not what is asked here."""
    lines = 20_000
    async with begin(bus) as load:
        visit = await load.client.plan(await load.client.customer())
        await load.client.act(visit, "start")
        id_ = await send(load, lines)
        took = [await until_it_runs(load, visit) for _ in range(3)]
        assert (await state(load, id_))["state"] == "waiting", "the import was over before the complaints"
        assert statistics.median(took) < 5.0, took
        await hold(load, await ended(load, id_), lines)
