"""What people wrote about an appeal: sealed, shown to whoever may read it, also where older code wrote it openly."""

from typing import Any

import asyncpg
import pytest

from chassis.ids import new_id
from tests.integration.appeal_tracker.desk import Desk, got, made
from tests.integration.appeal_tracker.test_holding import REPORT
from tests.support.databases import everything

# Each is said once; all begin alike, so that one look at a dump finds any.
CONTACT, EVIDENCE, ANSWER, UNREACHABLE, OPINION, HOLD, HOLD_NOTE, ACCEPT = (
    f"张大爷{said}" for said in ("嫌吵", "录音7", "已换表", "关机", "不满", "住院", "等女儿", "独居")
)


async def told(desk: Desk) -> str:
    """An appeal about which everything was written that can be."""
    await desk.publish(id="own", appeals={"report": REPORT})
    await desk.assign("37401", "own")
    case = await desk.raised(appeal_type="report")
    await desk.at("10-09T10:00")
    await desk.act(case, "accept", note=ACCEPT)
    at = {"at": "2026-10-09T10:00:00+08:00"}
    contact = {**at, "channel": "phone", "result": "reached", "evidence": EVIDENCE, "note": CONTACT}
    shown = await made(desk.supervisor.post(f"/appeals/{case}/contacts", json=contact))
    assert (shown["evidence"], shown["note"]) == (EVIDENCE, CONTACT)
    await desk.act(case, "hold", reason=HOLD, note=HOLD_NOTE)
    await desk.act(case, "resume")
    answer = await made(desk.supervisor.post(f"/appeals/{case}/answers", json={**at, "content": ANSWER}))
    assert answer["content"] == ANSWER
    tried = {**at, "result": "unreachable", "failure_reason": UNREACHABLE}
    assert (await made(desk.supervisor.post(f"/appeals/{case}/callbacks", json=tried)))["failure_reason"] == UNREACHABLE
    done = {**at, "result": "completed", "satisfaction": 2, "opinion": OPINION}
    await made(desk.supervisor.post(f"/appeals/{case}/callbacks", json=done))
    return case


async def shown(desk: Desk, case: str) -> list[Any]:
    """All of it, as a supervisor reads it."""
    its = [(await got(desk.supervisor.get(f"/appeals/{case}/{what}")))["items"] for what in ("contacts", "answers")]
    callbacks = (await got(desk.supervisor.get(f"/appeals/{case}/callbacks")))["items"]
    (clock,) = [each for each in (await desk.appeal(case))["clocks"] if each["milestone"] == "answer"]
    holds = (await got(desk.supervisor.get(f"/deadlines/{clock['id']}/explanation")))["holds"]
    return [*its, callbacks, await desk.timeline(case), holds]


def said(its: list[Any]) -> list[Any]:
    """The words in it, in its order."""
    (contact,), (answer,), callbacks, lines, (hold,) = its
    noted = [each["data"].get(name) for each in lines for name in ("note", "reason") if name in each["data"]]
    told = [each["failure_reason"] or each["opinion"] for each in callbacks]
    return [contact["note"], contact["evidence"], answer["content"], *told, hold["reason"], hold["note"], *noted]


ALL = [CONTACT, EVIDENCE, ANSWER, UNREACHABLE, OPINION, HOLD, HOLD_NOTE, ACCEPT, HOLD_NOTE, HOLD]


@pytest.mark.clause("004 4.2", "002 6.4.5.5")
async def test_a_dump_tells_nothing_of_what_was_written_about_an_appeal(desk: Desk, owner: asyncpg.Connection) -> None:
    case = await told(desk)
    its = await shown(desk, case)
    assert said(its) == ALL
    assert all("text_id" not in each["data"] for each in its[3])
    assert "张大爷" not in await everything(owner)


async def test_what_older_code_wrote_openly_is_sealed_meanwhile(desk: Desk, owner: asyncpg.Connection) -> None:
    case = await told(desk)
    before = await shown(desk, case)
    await owner.execute("TRUNCATE texts")
    await owner.execute("UPDATE answers SET content = $1", ANSWER)
    await owner.execute("UPDATE contacts SET evidence = $1, note = $2", EVIDENCE, CONTACT)
    await owner.execute("UPDATE callbacks SET failure_reason = $1 WHERE result = 'unreachable'", UNREACHABLE)
    await owner.execute("UPDATE callbacks SET opinion = $1, opinion_sealed = NULL WHERE result = 'completed'", OPINION)
    await owner.execute("UPDATE holds SET reason = $1, note = $2", HOLD, HOLD_NOTE)
    for kind, words in (("accepted", {"note": ACCEPT}), ("held", {"reason": HOLD, "note": HOLD_NOTE})):
        await owner.execute(
            "UPDATE timeline SET data = data - 'text_id' || jsonb_strip_nulls(jsonb_build_object("
            "'note', $2::text, 'reason', $3::text)) WHERE kind = $1",
            kind, words.get("note"), words.get("reason"),
        )  # fmt: skip
    await owner.execute("DELETE FROM upkeep")
    assert said(await shown(desk, case)) == ALL, "also before it is sealed"
    await desk.stack.settle()
    assert "张大爷" not in await everything(owner)
    assert await shown(desk, case) == before


async def test_a_line_in_which_nobody_wrote_anything_is_shown_as_that(desk: Desk, owner: asyncpg.Connection) -> None:
    survey = {"milestone": "site_survey", "within": "36 hours", "clause": "企标 1"}
    await desk.publish(id="own", appeals={"complaint": [survey]})
    await desk.assign("37401", "own")
    case = await desk.raised()
    reached = {"milestone": "site_survey", "at": "2026-10-09T09:45:00+08:00"}
    await made(desk.supervisor.post(f"/appeals/{case}/milestones", json=reached))

    async def line() -> Any:
        (found,) = [each for each in await desk.timeline(case) if each["kind"] == "milestone_reached"]
        return found["data"]

    assert await line() == {"milestone": "site_survey"}
    change = "UPDATE timeline SET data = data || $1::jsonb WHERE kind = 'milestone_reached'"
    await owner.execute(change, '{"note": null}')  # as older code wrote it
    await owner.execute("DELETE FROM upkeep")
    await desk.stack.settle()
    assert await line() == {"milestone": "site_survey", "note": None}
    await owner.execute(change, f'{{"text_id": "{new_id()}"}}')  # as code between took it for sealed
    assert await line() == {"milestone": "site_survey", "note": None}
