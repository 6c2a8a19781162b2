"""What P14 asks beside: while a file of customers is read, a complaint still reaches the tracker within a second.

Both services run as a site runs them, each in a process of its own, and are spoken to over HTTP alone.
"""

import asyncio
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from bench.children import Part
from bench.measure import Stopwatch, quantile
from bench.outcome import Goal, Outcome
from bench.row import Run
from chassis.messaging.bus import Bus, with_dead_letters
from contracts.topics import TOPICS
from deploy.local.processes import LOOPBACK

VISIT_API, TRACKER = "visit_api", "appeal_tracker"
COMPLAINTS = 20  # one after the other
PAUSE = 0.25  # seconds between two
PATIENCE = 30.0  # seconds
RUNNING = [("answer", "running"), ("contact", "running")]


async def told_meanwhile(run: Run, bus: Bus, path: Path, top: str, unit: str) -> Outcome:
    """The seconds from the answer to a complaint until the tracker shows its clocks running, one number for each that
    was raised while the file was being read."""
    await bus.ensure(with_dead_letters([*TOPICS.values()]))
    folder = run.ground.folder / "meanwhile"
    folder.mkdir(exist_ok=True)
    parts = [
        await Part(run.ground, VISIT_API, "all").prepared(run.ground, ATTACHMENTS_DIR=str(folder)),
        await Part(run.ground, TRACKER, "all").prepared(run.ground),
    ]
    with ExitStack() as running:
        for part in parts:
            running.enter_context(part.running())
        for part in parts:
            await part.ready()
        async with httpx.AsyncClient(timeout=PATIENCE) as client:
            its = _Company(run, client, {part.service: part.port for part in parts}, top, unit)
            visit = await its.visit()
            file = await its.send(path)
            took = list[float]()
            while len(took) < COMPLAINTS and await its.is_read(file):
                took.append(await its.complaint(visit))
                run.say(f"a complaint had its clocks after {took[-1]:.2f} s")
                await asyncio.sleep(PAUSE)
    if not took:
        raise RuntimeError("the file was read before a complaint was raised")
    note = f"{len(took)} complaints, p90 {quantile(took, 0.9):.2f} s; both services, the import and PostgreSQL share it"
    work = "a complaint → its clocks, while such a file is read"
    return Outcome("P14", work, "s", Goal(1.0, at_least=False), took, notes=[note])


class _Company:
    """A unit, its visitor and its marketing system, as the services know them."""

    def __init__(self, run: Run, client: httpx.AsyncClient, ports: Mapping[str, int], top: str, unit: str) -> None:
        self._run, self._client, self._ports, self._top, self._unit = run, client, ports, top, unit

    async def visit(self) -> str:
        """A visit that goes on, in a unit below the top one; the file names the others."""
        new = {"name": "第三中学", "kind": "government", "unit_code": self._unit}
        customer = await self._ask("POST", VISIT_API, "/customers", "admin", json=new)
        at = datetime.now(UTC).isoformat()
        new = {"customer_id": customer["id"], "channel": "on_site", "scheduled_at": at}
        visit = await self._ask("POST", VISIT_API, "/visits", "admin", json=new)
        await self._ask("POST", VISIT_API, f"/visits/{visit['id']}/start", "admin", json={})
        return str(visit["id"])

    async def send(self, path: Path) -> str:
        """The file, which waits to be read."""
        data = await asyncio.to_thread(path.read_bytes)
        return str((await self._ask("POST", VISIT_API, "/customers/import", "integration", content=data))["id"])

    async def is_read(self, file: str) -> bool:
        """Whether it is still being read."""
        return bool((await self._ask("GET", VISIT_API, f"/imports/{file}", "admin"))["state"] == "waiting")

    async def complaint(self, visit: str) -> float:
        """Raises a complaint; the seconds until the tracker shows both clocks running."""
        received = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
        new = {"type": "complaint", "summary": "三天两头停电", "received_at": received}
        appeal = await self._ask("POST", VISIT_API, f"/visits/{visit}/appeals", "admin", json=new)
        watch = Stopwatch()
        while watch.seconds < PATIENCE:
            answer = await self._answer("GET", TRACKER, f"/appeals/{appeal['id']}", "admin")
            clocks = answer.json()["clocks"] if answer.is_success else []
            if sorted((clock["milestone"], clock["state"]) for clock in clocks) == RUNNING:
                return watch.seconds
            await asyncio.sleep(0.01)
        raise RuntimeError(f"a complaint has no clocks after {PATIENCE:.0f} s")

    async def _ask(self, method: str, service: str, path: str, role: str, **sent: Any) -> dict[str, Any]:
        answer = await self._answer(method, service, path, role, **sent)
        if not answer.is_success:
            raise RuntimeError(f"{method} {path}: {answer.status_code} {answer.text}")
        its: dict[str, Any] = answer.json()
        return its

    async def _answer(self, method: str, service: str, path: str, role: str, **sent: Any) -> httpx.Response:
        # The tracker has not heard of the units, which the row made in the database: it knows an appeal by its own.
        token = self._run.ground.issuer().token([role], self._top if service == VISIT_API else self._unit, "S1")
        url = f"http://{LOOPBACK}:{self._ports[service]}/v1{path}"
        return await self._client.request(method, url, headers={"Authorization": f"Bearer {token}"}, **sent)
