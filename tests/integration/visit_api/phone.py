"""A device in a visitor's hand: it works without a line, and its clock shows what it likes."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx

from tests.integration.visit_api.world import World

Json = dict[str, Any]

NEEDS = {"kind": "needs", "needs": [{"category": "connection", "description": "双电源"}]}


class Phone:
    """Makes items by its own clock, pushes them, and keeps a copy of what it pulls."""

    def __init__(self, world: World, client: httpx.AsyncClient, *, name: str = "P-1", off: timedelta = timedelta()):
        self.world, self.client, self.name, self.off = world, client, name, off
        self.copy: dict[tuple[str, str], Json] = {}
        self.cursor: str | None = None

    def now(self) -> datetime:
        """What its clock shows."""
        return self.world.clock.now() + self.off

    def item(self, kind: str, visit_id: str | None = None, /, *, ago: float = 0, **body: Any) -> Json:
        """Something done so many seconds ago."""
        its: Json = {"kind": kind, "id": str(uuid4()), "at": (self.now() - timedelta(seconds=ago)).isoformat()}
        its |= {"visit_id": visit_id} if visit_id is not None else {}
        return {**its, **({"body": body} if body else {})}

    async def send(self, *items: Json, **headers: str) -> httpx.Response:
        """One push, as it is answered."""
        body = {"device": self.name, "sent_at": self.now().isoformat(), "items": list(items)}
        return await self.client.post("/sync/push", json=body, headers=headers)

    async def push(self, *items: Json) -> list[Json]:
        """The answers to the items of a push."""
        answer = await self.send(*items)
        assert answer.status_code == 200, answer.text
        answers: list[Json] = answer.json()["items"]
        assert [each["place"] for each in answers] == [*range(len(items))]
        return answers

    async def pull(self, limit: int = 200) -> list[Json]:
        """Brings its copy up to date; what it was given, in order."""
        given: list[Json] = []
        more = True
        while more:
            query = {"limit": limit, **({"cursor": self.cursor} if self.cursor else {})}
            answer = await self.client.get("/sync/pull", params=query)
            assert answer.status_code == 200, answer.text
            page = answer.json()
            assert len(page["items"]) <= limit + 1
            for each in page["items"]:
                key = each["kind"], each["id"]
                if each.get("gone"):
                    self.copy.pop(key, None)
                else:
                    self.copy[key] = each["value"]
            given += page["items"]
            self.cursor, more = page["next"], page["more"]
        return given

    def ids(self, kind: str) -> set[str]:
        """What its copy has of a kind."""
        return {its for its_kind, its in self.copy if its_kind == kind}


def outcomes(answers: list[Json]) -> list[str]:
    return [each["outcome"] for each in answers]
