"""When customers were contacted and answered, and which deadlines were kept: on the appeal and in the archive."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from contracts.appeals import AppealAnswered, AppealClosed, AppealContacted, AppealReclassified, AppealReopened
from contracts.deadlines import DeadlineBreached, DeadlineCorrected, DeadlineMet
from tests.integration.visit_api.test_feedback import act, the_appeal
from tests.integration.visit_api.world import World

DUE = datetime(2026, 10, 19, 16, tzinfo=UTC)  # the end of a day
TIMES = ("contacted_at", "answered_at", "closed_at")


def at(world: World, appeal: dict[str, Any], hours: float, round: int = 1) -> dict[str, Any]:
    return {**act(world, appeal, round), "at": world.clock.now() + timedelta(hours=hours)}


def deadline(world: World, appeal: dict[str, Any], milestone: str, round: int = 1, clock_id: UUID | None = None) -> Any:
    """What every event of a clock says, to be completed by its own."""
    its = {"subject_kind": "appeal", "subject_id": UUID(appeal["id"]), "visit_id": UUID(appeal["visit_id"])}
    who = {"unit_code": "37401", "handling_unit_code": "37401", "owner": None, "first_contact": None}
    when = {"due_at": DUE, "at": world.clock.now(), "round": round, "milestone": milestone}
    return {"clock_id": clock_id or uuid4(), **its, **who, **when}


def breached(its: dict[str, Any]) -> DeadlineBreached:
    return DeadlineBreached(**its, step="due", audience=["owner"], late=False)


def corrected(its: dict[str, Any]) -> DeadlineCorrected:
    return DeadlineCorrected(**its, recorded_at=its["at"], actor="E201")


def times(appeal: dict[str, Any]) -> list[str | None]:
    return [None if appeal[name] is None else appeal[name][11:16] for name in TIMES]


@pytest.mark.clause("7.2.3", "7.2.6")
async def test_the_archive_tells_when_an_appeal_was_handled_and_what_was_not_in_time(world: World) -> None:
    visit = await world.visit()
    appeal = await world.raised(visit["id"])
    assert (times(appeal), appeal["deadlines"]) == ([None] * 3, [])
    await world.act(visit["id"], "start", "complete")
    its = at(world, appeal, 1)
    await world.hear(
        AppealContacted(**its, result="no_answer"),
        AppealContacted(**its, result="reached", counts=False),
    )
    assert times(await the_appeal(world, visit)) == [None] * 3, "an attempt is none, nor is what others said"
    await world.hear(
        AppealContacted(**at(world, appeal, 3), result="refused"),
        AppealContacted(**at(world, appeal, 2), result="reached"),  # recorded late
        DeadlineMet(**deadline(world, appeal, "contact")),
        breached(deadline(world, appeal, "answer")),
        AppealAnswered(**at(world, appeal, 5)),
        AppealAnswered(**at(world, appeal, 6)),
        AppealClosed(**at(world, appeal, 7), outcome="resolved"),
    )
    known = await the_appeal(world, visit)
    assert times(known) == ["04:00", "07:00", "09:00"]
    due = "2026-10-19T16:00:00Z"
    deadlines = [{"milestone": which, "due_at": due, "kept": which == "contact"} for which in ("answer", "contact")]
    assert known["deadlines"] == deadlines

    await world.act(visit["id"], "archive")
    supervisor = world.client("supervisor", unit="37401")
    path = f"/archive/{visit['id']}"
    record = (await supervisor.get(path)).json()["record"]["record"]
    assert record["appeals"] == [known]
    of_it = {name: known[name] for name in ("appeal_no", "outcome", *TIMES)}
    assert record["service_record"]["result"] == [of_it]
    passed = {"kind": "deadline", "what": "answer", "note": appeal["appeal_no"]}
    assert passed in record["service_record"]["anomalies"]
    said = {
        "zh-CN": ("办理时间及时限（最近一轮）", "截止：2026-10-19 24:00；是否按时：超时", "超过时限"),
        "en": ("its deadlines (last round)", "due: 2026-10-19 24:00; Kept: passed", "a deadline passed"),
    }
    for language, words in said.items():
        page = (await supervisor.get(path, headers={"Accept": "text/html", "Accept-Language": language})).text
        assert [each for each in ("2026-10-09 12:00", *words) if each not in page] == [], language


async def test_what_is_heard_late_twice_or_out_of_order_is_of_the_last_round(world: World) -> None:
    visit = await world.visit()
    appeal = await world.raised(visit["id"])
    first, second = deadline(world, appeal, "answer"), deadline(world, appeal, "contact", 2)
    await world.hear(corrected(first), breached(first))
    assert [each["kept"] for each in (await the_appeal(world, visit))["deadlines"]] == [True], "it was met after all"
    await world.hear(AppealAnswered(**at(world, appeal, 1)), AppealClosed(**at(world, appeal, 2), outcome="resolved"))
    await world.act(visit["id"], "start", "complete", "archive")

    contacted = AppealContacted(**at(world, appeal, 24, 2), result="reached")
    await world.hear(contacted)
    known = await the_appeal(world, visit)
    assert (times(known), known["round"], known["deadlines"]) == (["02:00", None, None], 2, [])
    await world.hear(AppealReopened(**at(world, appeal, 20, 2)), breached(second), contacted)
    known = await the_appeal(world, visit)
    assert (times(known), known["state"]) == (["02:00", None, None], "open"), "reopening undoes nothing of its round"
    await world.hear(
        AppealAnswered(**at(world, appeal, 3)),
        DeadlineMet(**deadline(world, appeal, "contact")),
        AppealAnswered(**at(world, appeal, 26, 2)),
        AppealClosed(**at(world, appeal, 27, 2), outcome="resolved"),
        AppealContacted(**at(world, appeal, 23, 2), result="reached"),
    )
    known = await the_appeal(world, visit)
    assert times(known) == ["01:00", "04:00", "05:00"]
    assert [(each["milestone"], each["kept"]) for each in known["deadlines"]] == [("contact", False)]
    entries = (await world.admin.get(f"/archive/{visit['id']}")).json()["supplements"]
    told = [each["record"]["told"]["type"] for each in entries]
    assert told == ["appeal.reopened.v1", "appeal.closed.v1"], "a contact alone is none"
    assert times(entries[-1]["record"]["appeals"][0]) == ["02:00", "04:00", "05:00"]


async def test_another_type_has_other_deadlines_and_the_customer_was_contacted_all_the_same(world: World) -> None:
    visit = await world.visit()
    appeal = await world.raised(visit["id"])
    contacted = AppealContacted(**at(world, appeal, 1), result="reached")
    of_visit = {**deadline(world, appeal, "arrival"), "subject_kind": "visit", "subject_id": UUID(visit["id"])}
    await world.hear(contacted, breached(deadline(world, appeal, "contact")), breached(of_visit))
    types: dict[str, Any] = {"appeal_type": "consultation", "old_appeal_type": "complaint", "clocks": []}
    await world.hear(AppealReclassified(**at(world, appeal, 2, 2), **types))
    known = await the_appeal(world, visit)
    assert (times(known), known["deadlines"]) == (["03:00", None, None], [])
