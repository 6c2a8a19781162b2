"""An appeal goes from hand to hand (派发, 转派): that resets nothing."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import msgspec
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from appeal_tracker.appeals import taking_over
from appeal_tracker.appeals.errors import MergedMeanwhile
from appeal_tracker.leaving import service as leaving
from appeal_tracker.leaving.worker import HandingOver
from chassis.runtime import Runtime
from contracts.directory import StaffHandedOver
from tests.integration.appeal_tracker.desk import Desk, got, instant, made, problem, staff, unit

HAND_OVER: dict[str, dict[str, Any]] = {
    "dispatch": {"handler": "E201", "handling_unit_code": "37402"},
    "transfer": {"handler": "E201", "handling_unit_code": "37402", "reason": "轮岗"},
}


async def everything(desk: Desk, case: str) -> list[str]:
    """The clocks of an appeal and their timers, byte by byte."""
    clocks = await desk.rows("SELECT c::text FROM clocks c WHERE subject_id = $1 ORDER BY id", UUID(case))
    timers = await desk.rows(
        "SELECT t::text FROM timers t JOIN clocks c ON c.id = clock_id WHERE subject_id = $1 ORDER BY clock_id, step",
        UUID(case),
    )
    return [row[0] for row in (*clocks, *timers)]


@pytest.mark.parametrize("act", HAND_OVER)
@pytest.mark.parametrize("when", ["10-09T10:00", "10-09T21:30", "10-10T11:30", "10-21T00:00"])
async def test_it_resets_nothing(desk: Desk, act: str, when: str) -> None:
    case = await desk.raised()
    await desk.at(when)
    before = await everything(desk, case)
    assert (await desk.act(case, act, **HAND_OVER[act]))["handler"] == "E201"
    await desk.stack.settle()
    assert await everything(desk, case) == before


async def test_a_transfer_is_told_and_its_reason_stays_here(desk: Desk) -> None:
    await desk.hear(staff("E201", "37402"))
    case = await desk.raised()
    await desk.act(case, "dispatch", handler="E102")
    appeal = await desk.act(case, "transfer", handler="E201", reason="轮岗")
    assert (appeal["handler"], appeal["handling_unit_code"], appeal["first_contact"]) == ("E201", "37402", "E101")
    (told,) = await desk.told("appeal.transferred.v1")
    assert (told["handler"], told["handling_unit_code"], told["unit_code"]) == ("E201", "37402", "37401")
    assert "轮岗" not in str(told)
    entry = (await desk.timeline(case))[-1]
    assert (entry["kind"], entry["actor"]) == ("transferred", "E001")
    assert entry["data"] == {
        "handler": "E201",
        "handling_unit_code": "37402",
        "from_handler": "E102",
        "from_unit_code": "37401",
        "by_unit_code": "374",
        "reason": "轮岗",
    }


async def test_the_next_step_goes_to_whoever_has_it_now(desk: Desk) -> None:
    case = await desk.raised()
    await desk.act(case, "transfer", **HAND_OVER["transfer"])
    await desk.at("10-09T21:30")
    (warned,) = await desk.told("deadline.warned.v1")
    assert (warned["owner"], warned["handling_unit_code"]) == ("E201", "37402")


async def refused(desk: Desk, case: str, **body: Any) -> httpx.Response:
    return await desk.acting(case, "transfer", **body)


async def test_a_transfer_names_somebody_and_says_why(desk: Desk) -> None:
    case = await desk.raised()
    problem(await refused(desk, case, reason="轮岗"), 422, "nobody-named")
    problem(await refused(desk, case, reason="轮岗", handling_unit_code="none"), 422, "unknown-handling-unit")
    assert (await refused(desk, case, handler="E201")).status_code == 422


async def test_who_takes_over_somebodys_work_has_their_open_appeals(desk: Desk) -> None:
    await desk.hear(staff("E101", "37401"), staff("E102", "37401"))
    heard, handled, others, ended = [await desk.raised() for _ in range(4)]
    await desk.act(handled, "dispatch", handler="E101")
    await desk.act(others, "dispatch", handler="E777")
    await desk.act(ended, "void", reason="重复录入")
    before = {case: await everything(desk, case) for case in (heard, handled, others)}
    event = StaffHandedOver(hand_over_id=uuid4(), unit_code="37401", staff_no="E101", to="E102", by="E001")
    await desk.hear(event, event)
    for case, handler in ((heard, "E102"), (handled, "E102"), (others, "E777"), (ended, None)):
        appeal = await desk.appeal(case)
        assert (appeal["handler"], appeal["first_contact"]) == (handler, "E101"), "who heard it first stays (8.2.4)"
    assert {case: await everything(desk, case) for case in before} == before, "and no clock moves"
    told = await desk.told("appeal.transferred.v1")
    assert [(each["handler"], each["handling_unit_code"], each["by"]) for each in told] == [
        ("E102", "37401", "E001")
    ] * 2
    entry = (await desk.timeline(heard))[-1]
    assert (entry["kind"], entry["actor"], entry["data"]["reason"]) == ("transferred", "E001", "staff_handed_over")


@pytest.mark.clause("8.2.4", "002 6.4.5.5")
async def test_a_hand_over_takes_what_is_theirs_one_by_one_and_what_is_heard_of_later(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaving, "AT_ONCE", 2)
    await desk.hear(staff("E001", "374"))
    customer = uuid4()
    theirs = [await desk.raised(customer_id=customer) for _ in range(5)]
    elsewhere, named, merged = [await desk.raised(customer_id=customer) for _ in range(3)]
    secret = await desk.raised(anonymous=True)
    await desk.act(elsewhere, "dispatch", handling_unit_code="37402")
    await desk.act(named, "dispatch", handler="E101", handling_unit_code="374")
    await desk.act(merged, "merge", into=theirs[0])

    merging = [theirs[2]]  # just when its turn comes: it has another

    async def take_over(tx: AsyncSession, runtime: Runtime, id: UUID, **its: str) -> None:
        if str(id) in merging:
            merging.clear()
            raise MergedMeanwhile
        await taken_over(tx, runtime, id, **its)

    taken_over = taking_over.take_over
    monkeypatch.setattr(taking_over, "take_over", take_over)

    def over(to: str, by: str = "E001", staff_no: str = "E101") -> StaffHandedOver:
        return StaffHandedOver(hand_over_id=uuid4(), unit_code="37401", staff_no=staff_no, to=to, by=by)

    await desk.hear(over("E102"), staff("E102", "37401"))
    away: dict[str, Any] = {"received_at": instant("10-09T09:40"), "recorded_at": desk.clock.now()}
    late, kept = await desk.raised(**away), await desk.raised(received_at=instant("10-09T10:00:01"))

    async def whose(*cases: str) -> list[tuple[str | None, str]]:
        its = [await desk.appeal(case) for case in cases]
        return [(each["handler"], each["handling_unit_code"]) for each in its]

    assert await whose(*theirs, merged, late) == [("E102", "37401")] * 7
    assert await whose(named, elsewhere, secret, kept) == [
        ("E102", "374"), (None, "37402"), (None, "37401"), (None, "37401")
    ]  # fmt: skip
    moved = {UUID(each["appeal_id"]) for each in await desk.told("appeal.transferred.v1")}
    acts = await desk.rows("SELECT DISTINCT changed_xid FROM appeals WHERE id = ANY ($1::uuid[])", [*moved])
    assert len(moved) == len(acts) == 8, "a transaction each"

    # Who took over hands it on: also what is heard of only now; what was given back on purpose is not taken again.
    await desk.act(theirs[1], "return", desk.client("handler", unit="37401", sub="E102"), reason="不熟悉")
    desk.later(minutes=1)
    await desk.hear(over("E001", staff_no="E102"))
    later = await desk.raised(**away)
    assert await whose(theirs[0], late, later, theirs[1]) == [("E001", "37401")] * 3 + [(None, "37401")]
    assert await whose(secret) == [(None, "37401")]


@pytest.mark.clause("002 6.4.5.4")
async def test_who_takes_over_calls_whom_the_other_was_to_call_unless_another_must(desk: Desk) -> None:
    await desk.assign("37402", "state-grid")
    colleague = staff("E102", "37401", "visitor")
    await desk.hear(staff("E101", "37401"), colleague, staff("E201", "37402"), staff("E202", "37402"))
    mine, theirs, low = [await desk.raised() for _ in range(3)]
    secret = await desk.raised(appeal_type="opinion", visit_id=None, customer_id=None, confidential=True)
    accepted, owned = [await desk.raised(unit_code="37402", raised_by="E201") for _ in range(2)]
    await desk.act(theirs, "dispatch", handler="E777")
    await desk.act(accepted, "dispatch", handler="E777")
    for case in (mine, theirs, low, secret, accepted, owned):
        given = {"at": instant("10-09T09:40").isoformat(), "content": "已处理"}
        await made(desk.client("supervisor", unit="374", sub="E009").post(f"/appeals/{case}/answers", json=given))
    tasks = {case: await made(desk.supervisor.post(f"/appeals/{case}/callback-tasks")) for case in (mine, theirs)}
    plan = {"at": instant("10-09T10:30").isoformat(), "person": "E101"}
    await got(desk.supervisor.post(f"/callback-tasks/{tasks[theirs]['id']}/schedule", json=plan))
    rated = {"at": instant("10-09T09:50").isoformat(), "result": "completed", "satisfaction": 1}
    for case in (low, secret):
        await made(desk.supervisor.post(f"/appeals/{case}/callbacks", json=rated))
    await desk.act(low, "close")

    async def whose() -> dict[str, str | None]:
        return {each["appeal_id"]: each["person"] for each in (await got(desk.supervisor.get(OPEN_TASKS)))["items"]}

    before = dict.fromkeys((mine, theirs, low, secret), "E101") | dict.fromkeys((accepted, owned), "E201")
    assert await whose() == before
    for leaver, to in (("E101", "E102"), ("E201", "E202")):
        code = "37401" if leaver == "E101" else "37402"
        event = StaffHandedOver(hand_over_id=uuid4(), unit_code=code, staff_no=leaver, to=to, by="E001")
        await desk.hear(event)
    # A closed appeal's follow-up too. Nobody calls about their own work, and nobody of the unit of the hidden.
    after = {mine: "E102", theirs: "E102", low: "E102", secret: None, accepted: "E202", owned: None}
    assert await whose() == after
    again = (await desk.told("appeal.callback_asked.v1"))[-6:]
    assert {each["appeal_id"]: each["person"] for each in again} == after, "and is told of it"
    entry = (await desk.timeline(theirs))[-1]
    assert (entry["kind"], entry["actor"], entry["data"]["from_person"]) == ("callback_handed_over", "E001", "E101")
    assert (await desk.appeal(theirs))["handler"] == "E777", "which was not theirs"
    day = await got(desk.client("visitor", unit="37401", sub="E102").get("/my-day"))
    assert {each["id"] for each in day["to_call_back"]} == {mine, theirs, low}, "their day has it, whoever's it is"


async def test_what_a_leaver_was_asked_before_their_leaving_was_heard_of_goes_to_who_has_their_work(desk: Desk) -> None:
    """It is asked for after the work was handed over; who is only in another post by then has what they are asked."""
    gone = staff("E171", "37401")
    await desk.hear(gone, staff("E102", "37401", "visitor"), staff("E103", "37401"))
    cases = [await desk.raised(raised_by=by) for by in ("E171", "E103")]
    for leaver in ("E171", "E103"):
        event = StaffHandedOver(hand_over_id=uuid4(), unit_code="37401", staff_no=leaver, to="E102", by="E001")
        await desk.hear(event)
    desk.later(minutes=1)
    for case, handler in zip(cases, ("E171", "E103"), strict=True):
        await desk.act(case, "dispatch", handler=handler)
        given = {"at": desk.clock.now().isoformat(), "content": "已处理"}
        await made(desk.supervisor.post(f"/appeals/{case}/answers", json=given))
        await made(desk.supervisor.post(f"/appeals/{case}/callback-tasks"))

    async def whose() -> list[str | None]:
        items = (await got(desk.supervisor.get(OPEN_TASKS)))["items"]
        return [next(each["person"] for each in items if each["appeal_id"] == case) for case in cases]

    assert await whose() == ["E171", "E103"]
    await desk.hear(msgspec.structs.replace(gone, active=False, version=2))
    (loop,) = [each for each in desk.stack["appeal_tracker"].workers if isinstance(each, HandingOver)]
    loop._looked_behind = float("-inf")
    await desk.stack.settle()
    assert await whose() == ["E102", "E103"]
    assert [(await desk.appeal(case))["handler"] for case in cases] == ["E102", "E103"], "and what they were given"
    told = (await desk.told("appeal.callback_asked.v1"))[-1]
    assert (told["appeal_id"], told["person"], told["by"]) == (cases[0], "E102", "E001")


async def test_what_nobody_may_be_given_is_not_looked_at_for_ever(desk: Desk) -> None:
    """Neither what whoever has a leaver's work left in turn, nor a hidden one that may be about them."""
    people = {who: staff(who, "37401") for who in ("E181", "E182", "E183", "E184", "E185", "E186")}
    await desk.hear(*people.values())
    hidden = {"visit_id": None, "customer_id": None, "confidential": True}
    lost, secret, shown, told = [await desk.raised(**its) for its in ({}, hidden, {}, {**hidden, "unit_code": "37402"})]
    for leaver, to in (("E181", "E182"), ("E182", "E183"), ("E184", "E185"), ("E186", "E185")):
        its = StaffHandedOver(hand_over_id=uuid4(), unit_code="37401", staff_no=leaver, to=to, by="E001")
        await desk.hear(its)
        desk.later(minutes=1)
    for case, handler in ((lost, "E181"), (secret, "E184"), (shown, "E184"), (told, "E186")):
        await desk.act(case, "dispatch", handler=handler)
    for who in ("E181", "E182", "E183", "E184", "E186"):
        await desk.hear(msgspec.structs.replace(people[who], active=False, version=2))
    async with desk.runtime.db.transaction() as tx:
        left = await leaving.left_behind(tx, UUID(int=0))
    assert {str(appeal) for appeal, _ in left} == {shown, told}
    (loop,) = [each for each in desk.stack["appeal_tracker"].workers if isinstance(each, HandingOver)]
    loop._looked_behind = float("-inf")
    await desk.stack.settle()
    handlers = [(await desk.appeal(case))["handler"] for case in (lost, secret, shown, told)]
    assert handlers == ["E181", "E184", "E185", "E185"]


@pytest.mark.clause("002 6.4.5.5")
async def test_a_hidden_appeal_of_a_leaver_goes_to_whoever_has_their_work_and_is_not_inside(desk: Desk) -> None:
    """Inside is whoever is of the raising unit or below it, also of the one that it merged into: not whoever is above
    or beside."""
    closed = unit("37403", "374")
    await desk.hear(closed, unit("3740101", "37401"), unit("3740201", "37402"))
    takers = {"E191": "374", "E192": "3740101", "E193": "37402", "E194": "3740201", "E195": "375"}
    leavers = {f"E28{to[-1]}": to for to in takers}
    people = {leaver: staff(leaver, "374") for leaver in leavers}
    await desk.hear(*people.values(), *(staff(*its) for its in takers.items()))
    for leaver, to in leavers.items():
        await desk.hear(StaffHandedOver(hand_over_id=uuid4(), unit_code="374", staff_no=leaver, to=to, by="E001"))
    desk.later(minutes=1)
    hidden, given = {"visit_id": None, "customer_id": None, "confidential": True}, {}
    for raising in ("37401", "37403"):
        for leaver, to in leavers.items():
            given[raising, takers[to]] = case = await desk.raised(**hidden, unit_code=raising)
            await desk.act(case, "dispatch", handler=leaver)
    merged = {"parent_code": "37402", "merged_into": "37402"}
    await desk.hear(msgspec.structs.replace(closed, **merged, version=2))
    await desk.hear(*(msgspec.structs.replace(its, active=False, version=2) for its in people.values()))
    (loop,) = [each for each in desk.stack["appeal_tracker"].workers if isinstance(each, HandingOver)]
    loop._looked_behind = float("-inf")
    await desk.stack.settle()
    outside = {("37401", each) for each in ("374", "37402", "3740201", "375")}
    outside |= {("37403", each) for each in ("374", "3740101", "375")}
    assert {of for of, case in given.items() if (await desk.appeal(case))["handler"] in takers} == outside
    async with desk.runtime.db.transaction() as tx:
        assert not await leaving.left_behind(tx, UUID(int=0)), "nor is what nobody may be given looked at for ever"


OPEN_TASKS = "/callback-tasks?state=open"


@pytest.mark.clause("8.2.4", "002 6.4.5.4")
async def test_nothing_is_given_to_somebody_who_left(desk: Desk) -> None:
    await desk.assign("37401", "state-grid")
    case = await desk.raised()
    gone = staff("E105", "37401")
    await desk.hear(gone, type(gone)(id=gone.id, staff_no="E105", unit_code="37401", roles=[], active=False, version=2))
    to = {"handler": "E105"}
    for act, body in (("dispatch", to), ("transfer", {**to, "reason": "轮岗"})):
        refused = problem(await desk.supervisor.post(f"/appeals/{case}/{act}", json=body), 422, "handler-left")
        assert refused["errors"][0]["pointer"] == "/handler"
    # Whoever took it is to call back, and has left since: it is for whoever else may.
    taken = await desk.raised(raised_by="E105")
    handler = desk.client("handler", unit="37401", sub="E106")
    await made(
        handler.post(f"/appeals/{taken}/answers", json={"at": instant("10-09T09:40").isoformat(), "content": "已处理"})
    )
    (task,) = (await got(desk.supervisor.get("/callback-tasks")))["items"]
    assert (task["whose"], task["person"]) == ("acceptor", None)
    plan = {"at": instant("10-12T10:00").isoformat(), "person": "E105"}
    problem(await desk.supervisor.post(f"/callback-tasks/{task['id']}/schedule", json=plan), 422, "handler-left")
    assert (await desk.appeal(taken))["first_contact"] == "E105", "for good"
