"""Two devices, one of them with a wrong clock, on a line that loses, doubles, delays and reorders requests: at the end
nothing that was acknowledged is lost, nothing is doubled, and every contradiction is there for a person to see."""

import random
from collections import Counter
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from tests.integration.visit_api.phone import NEEDS, Phone
from tests.integration.visit_api.sync_model import DONE_AT, THINGS, Model
from tests.integration.visit_api.world import World

Json = dict[str, Any]


class Line:
    """What comes of each request is diced; the server is told, and the model too, in the order of arrival."""

    def __init__(self, world: World, dice: random.Random) -> None:
        self.world, self.dice, self.model = world, dice, Model()
        self.delayed: list[tuple[Device, Json]] = []

    async def arrives(self, phone: Phone, request: Json) -> list[Json]:
        answer = await phone.client.post("/sync/push", json=request)
        assert answer.status_code == 200, answer.text
        answers: list[Json] = answer.json()["items"]
        expected = self.model.push(self.world.clock.now(), request)
        assert [each["outcome"] for each in answers] == expected, (request, answers)
        return answers


class Device:
    """Keeps what it did until that is acknowledged."""

    def __init__(self, line: Line, phone: Phone, customers: list[str], visits: list[str]) -> None:
        self.line, self.phone, self.customers, self.visits = line, phone, customers, visits
        self.waiting: list[Json] = []
        self.acknowledged: list[Json] = []

    def act(self) -> None:
        """Somebody does something, or changes what was not acknowledged yet."""
        dice = self.line.dice
        kinds = ("visit", "arrival", "start", "appeal", "step", "completion", "cancellation")
        kind = dice.choices(kinds, (2, 2, 4, 4, 4, 2, 1))[0] if self.visits else "visit"
        at = (self.phone.now() - timedelta(seconds=dice.randrange(3))).isoformat()
        item: Json = {"kind": kind, "id": str(UUID(int=dice.getrandbits(128))), "at": at}
        if kind == "visit":
            plan = {"customer_id": dice.choice(self.customers), "channel": dice.choice(["on_site", "phone"])}
            item["body"] = {**plan, "scheduled_at": dice.choice([at, "2026-10-09T15:00:00+08:00"])}
            self.visits.append(item["id"])
        else:
            item["visit_id"] = dice.choice(self.visits)
        if kind == "appeal":
            item["body"] = {"type": "complaint", "summary": f"停电 {dice.randrange(3)} 次"}
        if kind == "step":
            item["body"] = {"content": dice.choice([NEEDS, {"kind": "needs", "needs": []}])}
        self.waiting.append(item)
        if dice.random() < 0.1:
            one = dice.choice(self.waiting)
            self.waiting.append({**one, "at": at} if dice.random() < 0.5 else dict(one))

    async def sync(self) -> None:
        """Sends some of what waits, not always in its order; the line decides what comes of it."""
        dice = self.line.dice
        if not self.waiting:
            return
        some = self.waiting[: dice.randrange(1, 6)]
        dice.shuffle(some)
        request = {"device": self.phone.name, "sent_at": self.phone.now().isoformat(), "items": some}
        fate = dice.choice(["good", "good", "good", "lost", "answer lost", "doubled", "delayed"])
        if fate == "delayed":
            self.line.delayed.append((self, request))
        elif fate == "doubled":
            await self.line.arrives(self.phone, request)
        if fate in ("good", "answer lost", "doubled"):
            answers = await self.line.arrives(self.phone, request)
            if fate != "answer lost":
                self.hear(request, answers)

    def hear(self, request: Json, answers: list[Json]) -> None:
        for item, answer in zip(request["items"], answers, strict=True):
            if answer["outcome"] != "refused" and item in self.waiting:
                self.waiting.remove(item)
                self.acknowledged.append({**item, "answer": answer})
            elif item in self.waiting:  # it is shown to its owner, and sent again later
                self.waiting.remove(item)
                self.waiting.append(item)


async def play(world: World, seed: int, moves: int) -> None:
    dice = random.Random(seed)
    line = Line(world, dice)
    customers = [(await world.customer())["id"] for _ in range(2)]
    phones = [
        Phone(world, world.client("visitor", unit="37401", sub="E101"), name="P-1"),
        Phone(world, world.client("visitor", unit="37401", sub="E102"), name="P-2", off=timedelta(hours=-30)),
    ]
    visits: list[str] = []
    devices = [Device(line, phone, customers, visits) for phone in phones]
    for _ in range(moves):
        device = dice.choice(devices)
        match dice.choice(["act", "act", "sync", "sync", "late", "time"]):
            case "act":
                device.act()
            case "sync":
                await device.sync()
            case "late" if line.delayed:
                sender, request = line.delayed.pop(dice.randrange(len(line.delayed)))
                sender.hear(request, await line.arrives(sender.phone, request))
            case _:
                world.later(seconds=dice.choice([0, 1, 1, 2]))
    dice.shuffle(line.delayed)
    for sender, request in line.delayed:
        await line.arrives(sender.phone, request)
    for device in devices * 3:
        for start in range(0, len(device.waiting), 50):
            some = device.waiting[start : start + 50]
            request = {"device": device.phone.name, "sent_at": device.phone.now().isoformat(), "items": some}
            device.hear(request, await line.arrives(device.phone, request))
    await judge(world, line.model, devices)


async def judge(world: World, model: Model, devices: list[Device]) -> None:
    """Compares all that is on record with the model, and both with what the devices were told."""
    appeals: dict[str, Json] = {}
    for visit_id, visit in model.visits.items():
        shown = (await world.admin.get(f"/visits/{visit_id}")).json()
        assert shown["state"] == visit["state"], visit_id
        for field in DONE_AT.values():
            assert (shown[field] and datetime.fromisoformat(shown[field])) == visit[field], (visit_id, field)
        for kind in THINGS:
            items = (await world.admin.get(f"/visits/{visit_id}/{kind}s", params={"limit": 200})).json()["items"]
            here = {key for key, its in model.things.items() if (its["visit"], its["kind"]) == (visit_id, kind)}
            assert {each["id"] for each in items} == here
            appeals |= {each["id"]: each for each in items} if kind == "appeal" else {}
    for device in devices:
        for item in device.acknowledged:
            known = item["id"] in model.things or item["id"] in model.visits or item["kind"] in DONE_AT
            assert known or item["answer"]["outcome"] == "conflict", item
            if item["kind"] == "appeal" and item["answer"]["outcome"] == "stored":
                assert appeals[item["id"]]["summary"] == item["body"]["summary"]
                assert appeals[item["id"]]["received_at"] == item["answer"]["at"]
    told = Counter(
        (event.type, event.payload["appeal_id"] if event.type == "appeal.raised.v1" else event.key)
        for event in await world.told()
        if event.payload is not None and event.type.startswith(("visit.", "appeal."))
    )
    assert not [event for event, times in told.items() if times > 1], "nothing is told twice"
    assert {key for type_, key in told if type_ == "appeal.raised.v1"} == {*appeals}
    conflicts, cursor = [], None
    while True:
        query = {"limit": 200, "state": "open", **({"cursor": cursor} if cursor else {})}
        page = (await world.admin.get("/sync/conflicts", params=query)).json()
        conflicts += [each["item_id"] for each in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(conflicts) == sorted(model.conflicts), "every contradiction is seen, once"


@pytest.mark.parametrize("seed", range(2))
async def test_two_devices_on_a_bad_line(world: World, seed: int) -> None:
    await play(world, seed, moves=120)


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("seed", range(100, 115))
async def test_two_devices_on_a_bad_line_for_long(world: World, seed: int) -> None:
    await play(world, seed, moves=600)


async def test_the_model_can_be_contradicted(world: World) -> None:
    """A model that agrees with everything proves nothing."""
    visit = await world.visit()
    line = Line(world, random.Random(0))
    line.model.visits[visit["id"]] = {"plan": {}, "state": "completed", **dict.fromkeys(DONE_AT.values())}
    phone = Phone(world, world.visitor)
    request = {"device": "P", "sent_at": phone.now().isoformat(), "items": [phone.item("start", visit["id"])]}
    with pytest.raises(AssertionError):
        await line.arrives(phone, request)
