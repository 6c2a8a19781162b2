"""A slow and obvious model of what a server makes of what devices push: dictionaries, one item after the other."""

import json
from datetime import datetime, timedelta
from typing import Any

Json = dict[str, Any]

TOLERANCE = timedelta(minutes=2)
RANKS = ["visit", "arrival", "start", "appeal", "step", "completion", "cancellation"]
DONE_AT = {
    "arrival": "arrived_at",
    "start": "started_at",
    "completion": "completed_at",
    "cancellation": "cancelled_at",
}
THINGS = ("appeal", "step")


class Model:
    """What is on record, and what was brought."""

    def __init__(self) -> None:
        self.visits: dict[str, Json] = {}
        self.things: dict[str, Json] = {}
        self.brought: dict[str, str] = {}
        self.conflicts: list[str] = []

    def push(self, now: datetime, request: Json) -> list[str]:
        """What each item is answered."""
        offset = now - datetime.fromisoformat(request["sent_at"])
        items = request["items"]
        answers = {}
        for place in sorted(range(len(items)), key=lambda place: RANKS.index(items[place]["kind"])):
            item = items[place]
            said = datetime.fromisoformat(item["at"])
            at = self._true(now, offset, said)
            visit = self.visits.get(item.get("visit_id", ""))
            if item["kind"] == "completion" and visit and visit["started_at"]:
                at = max(at, visit["started_at"])  # a wrong clock ends no visit before it began
            answers[place] = self._brought(item, at)
        return [answers[place] for place in range(len(items))]

    def _true(self, now: datetime, offset: timedelta, said: datetime) -> datetime:
        at = said + offset if abs(offset) > TOLERANCE else said
        return now if at > now + TOLERANCE else at

    def _brought(self, item: Json, at: datetime) -> str:
        name = json.dumps(item, sort_keys=True)
        if name in self.brought:
            return "conflict" if self.brought[name] == "conflict" else "same"
        outcome = self._judged(item, at)
        if outcome != "refused":
            self.brought[name] = outcome
        if outcome == "conflict":
            self.conflicts.append(item["id"])
        return outcome

    def _judged(self, item: Json, at: datetime) -> str:
        kind = item["kind"]
        if kind == "visit":
            return self._planned(item, at)
        if item["visit_id"] not in self.visits:
            return "refused"
        visit = self.visits[item["visit_id"]]
        if kind in THINGS:
            return self._said(visit, item, at)
        return self._acted(visit, kind, at)

    def _planned(self, item: Json, at: datetime) -> str:
        plan = dict(item["body"])
        if plan["scheduled_at"] == item["at"]:
            plan["scheduled_at"] = at.isoformat()
        if item["id"] in self.visits:
            return "same" if self.visits[item["id"]]["plan"] == plan else "conflict"
        self.visits[item["id"]] = {"plan": plan, "state": "planned", **dict.fromkeys(DONE_AT.values())}
        return "stored"

    def _said(self, visit: Json, item: Json, at: datetime) -> str:
        thing = {"kind": item["kind"], "visit": item["visit_id"], "body": item["body"], "at": at}
        if item["id"] in self.things:
            return "same" if self.things[item["id"]] == thing else "conflict"
        if item["kind"] == "step" and visit["state"] == "planned":
            return "refused"
        if item["kind"] == "step" and visit["state"] == "cancelled":
            return "conflict"
        self.things[item["id"]] = thing
        return "stored"

    def _acted(self, visit: Json, kind: str, at: datetime) -> str:
        field, state = DONE_AT[kind], visit["state"]
        if kind == "arrival" and state in ("planned", "in_progress") and visit[field] is None:
            visit[field] = at
            return "stored"
        goes_on = {"start": ("planned", "in_progress"), "completion": ("in_progress", "completed")}
        goes_on["cancellation"] = ("planned", "cancelled")
        before, after = goes_on.get(kind, (None, None))
        if state == before:
            visit[field], visit["state"] = at, after
            return "stored"
        if visit[field] == at:
            return "same"
        return "refused" if state == "planned" and kind == "completion" else "conflict"
