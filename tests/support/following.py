"""A client that keeps a copy of a list by what changes of it."""

from typing import Any

import httpx

SINCE = {"updated_since": "2020-01-01T00:00:00Z"}


class Copy:
    """A copy of a list, brought up to date by its feed, and begun again where that is asked for."""

    def __init__(self, client: httpx.AsyncClient, path: str, **filters: str) -> None:
        self.client, self.path, self.filters = client, path, filters
        self.items: dict[str, Any] = {}
        self.cursor: str | None = None
        self.begun = 0

    async def follow(self) -> None:
        """Brings it up to date."""
        while True:
            query = {"cursor": self.cursor} if self.cursor else SINCE
            answer = await self.client.get(self.path, params={**self.filters, **query, "limit": "2"})
            if answer.status_code == 410:
                assert answer.json()["type"] == "/problems/feed-expired"
                self.items, self.cursor = {}, None
                continue
            assert answer.status_code == 200, answer.text
            self.begun += self.cursor is None
            page = answer.json()
            for item in page["items"]:
                if "gone_at" in item or "removed_at" in item:
                    self.items.pop(item["id"], None)
                else:
                    self.items[item["id"]] = item
            self.cursor = page["next"]
            if not page["items"]:
                return

    async def check(self) -> None:
        """Brings it up to date: then it has what the list shows, as it is shown."""
        await self.follow()
        listed = (await self.client.get(self.path, params={**self.filters, "limit": "200"})).json()
        assert listed["next"] is None
        shown = {item["id"]: item.get("version", item) for item in listed["items"]}
        kept = {key: item.get("version", item) for key, item in self.items.items()}
        assert kept == shown, (self.path, self.filters)
