"""What people do about an appeal beside contacting and answering: each told, each in the timeline, none moves a clock
unless it says so."""

from typing import Any

import httpx
import pytest

from tests.integration.appeal_tracker.desk import Desk, instant, made, problem, staff
from tests.integration.appeal_tracker.test_audit import look

OTHER = {"reason": "不属本单位管辖"}


@pytest.fixture
def handler(desk: Desk) -> httpx.AsyncClient:
    """A handler of 37402."""
    return desk.client("handler", unit="37402", sub="E201")


async def last(desk: Desk, case: str) -> dict[str, Any]:
    return (await desk.timeline(case))[-1]


class TestReturning:
    async def test_it_goes_back_hand_by_hand(self, desk: Desk, handler: httpx.AsyncClient) -> None:
        await desk.hear(staff("E201", "37402"), staff("E202", "37402"))
        case = await desk.raised()
        before = await desk.clocks(case)
        await desk.act(case, "dispatch", handler="E201", note="请现场核实")
        await desk.act(case, "transfer", handler, handler="E202", reason="轮岗")
        other = desk.client("handler", unit="37402", sub="E202")
        back = await desk.act(case, "return", other, **OTHER)
        assert (back["handler"], back["handling_unit_code"]) == ("E201", "37402")
        back = await desk.act(case, "return", handler, **OTHER)
        assert (back["handler"], back["handling_unit_code"]) == ("E001", "374")
        assert (back["first_contact"], await desk.clocks(case)) == ("E101", before)
        told = await desk.told("appeal.dispatched.v1", "appeal.transferred.v1", "appeal.returned.v1")
        assert [(each["type"].split(".")[1], each["handler"]) for each in told] == [
            ("dispatched", "E201"),
            ("transferred", "E202"),
            ("returned", "E201"),
            ("returned", "E001"),
        ]
        entry = await last(desk, case)
        assert (entry["kind"], entry["actor"], entry["data"]["reason"]) == ("returned", "E201", OTHER["reason"])
        assert OTHER["reason"] not in str(told)

    async def test_nobody_gets_back_what_they_left_behind(self, desk: Desk, handler: httpx.AsyncClient) -> None:
        left = staff("E005", "374")
        await desk.hear(left, staff("E201", "37402"))
        case = await desk.raised()
        await desk.act(case, "dispatch", desk.client("supervisor", unit="374", sub="E005"), handler="E201")
        gone = type(left)(id=left.id, staff_no="E005", unit_code="374", roles=[], active=False, version=2)
        await desk.hear(gone)
        back = await desk.act(case, "return", handler, **OTHER)
        assert (back["handler"], back["handling_unit_code"]) == (None, "374")

    async def test_what_nobody_handed_on_is_with_its_unit_already(self, desk: Desk) -> None:
        case = await desk.raised()
        problem(await desk.acting(case, "return", **OTHER), 409, "nothing-to-return")
        await desk.act(case, "transfer", handler="E201", handling_unit_code="37402", reason="轮岗")
        await desk.act(case, "return", **OTHER)
        appeal = await desk.appeal(case)
        assert (appeal["handler"], appeal["handling_unit_code"]) == (None, "37401")

    async def test_it_is_returned_by_whoever_has_it(self, desk: Desk, handler: httpx.AsyncClient) -> None:
        case = await desk.raised()
        await desk.act(case, "dispatch", handler="E209", handling_unit_code="37402")
        problem(await desk.acting(case, "return", handler, **OTHER), 403, "not-yours-to-return")
        assert (await desk.acting(case, "return", desk.client("handler", unit="37402", sub="E209"))).status_code == 422


class TestPressing:
    async def test_whoever_is_at_work_is_urged(self, desk: Desk) -> None:
        case = await desk.raised()
        before = await desk.clocks(case)
        await desk.act(case, "dispatch", handler="E201", handling_unit_code="37402")
        await desk.act(case, "urge", desk.first, by_customer=True, note="客户来电催办")
        assert (await desk.act(case, "urge"))["urged"] == 2
        told = await desk.told("appeal.urged.v1")
        assert [(each["times"], each["owner"], each["handling_unit_code"]) for each in told] == [
            (1, "E201", "37402"),
            (2, "E201", "37402"),
        ]
        assert "来电" not in str(told)
        assert await desk.clocks(case) == before

    async def test_a_supervisor_watches_over_it_until_it_is_reopened(self, desk: Desk) -> None:
        case = await desk.raised()
        by = instant("10-09T18:00").isoformat()
        shown = await desk.act(case, "supervise", report_by=by, note="当日反馈")
        assert (shown["supervised_by"], shown["report_by"]) == ("E001", "2026-10-09T10:00:00Z")
        (told,) = await desk.told("appeal.supervised.v1")
        assert (told["owner"], told["by"], told["report_by"]) == ("E101", "E001", "2026-10-09T10:00:00Z")
        problem(
            await desk.acting(case, "supervise", report_by=instant("10-09T09:00").isoformat()), 422, "report-too-early"
        )
        await desk.answer(case, "10-09T09:40")
        await desk.act(case, "close")
        assert (await desk.act(case, "reopen", reason="客户再次反映"))["supervised_by"] is None


class TestFindings:
    @pytest.mark.clause("002 6.4.5.3")
    async def test_a_missing_one_is_listed_and_never_refused(self, desk: Desk) -> None:
        case = await desk.raised()
        problem(await desk.acting(case, "finding", finding="substantiated"), 409, "appeal-unanswered")
        assert (await desk.appeal(case))["lacks"] == []
        await desk.answer(case, "10-09T09:40")
        lack = [{"what": "finding", "clause": "002 6.4.5.3"}]
        assert (await desk.appeal(case))["lacks"] == lack
        closed = await desk.act(case, "close", note="客户认可")
        assert (closed["lacks"], closed["finding"]) == (lack, None)
        entry = await last(desk, case)
        assert (entry["data"]["lacking"], entry["data"]["note"]) == (["finding"], "客户认可")
        problem(await desk.acting(case, "finding", finding="substantiated"), 409, "appeal-closed")

    async def test_it_comes_with_the_answer_or_later(self, desk: Desk) -> None:
        case = await desk.raised(appeal_type="report")
        body = {"at": instant("10-09T09:40").isoformat(), "content": "已核实", "finding": "unsubstantiated"}
        assert (await made(desk.first.post(f"/appeals/{case}/answers", json=body)))["finding"] == "unsubstantiated"
        shown = await desk.act(case, "finding", finding="partly_substantiated", note="复核")
        assert (shown["finding"], shown["lacks"]) == ("partly_substantiated", [])
        told = await desk.told("appeal.answered.v1", "appeal.judged.v1")
        assert [each["finding"] for each in told] == ["unsubstantiated", "partly_substantiated"]
        assert (await last(desk, case))["data"]["old_finding"] == "unsubstantiated"

    async def test_what_accuses_nobody_is_not_judged(self, desk: Desk) -> None:
        case = await desk.raised(appeal_type="opinion")
        body = {"at": instant("10-09T09:40").isoformat(), "content": "已转达", "finding": "substantiated"}
        problem(await desk.first.post(f"/appeals/{case}/answers", json=body), 422, "nothing-to-judge")
        await desk.answer(case, "10-09T09:40")
        problem(await desk.acting(case, "finding", finding="substantiated"), 422, "nothing-to-judge")
        assert (await desk.appeal(case))["lacks"] == []


class TestEnding:
    @pytest.mark.clause("002 6.4.5.6")
    async def test_the_customer_takes_it_back(self, desk: Desk) -> None:
        case = await desk.raised()
        await desk.at("10-09T12:00")
        said = {"at": "10-09T11:30", "channel": "phone", "note": "已自行恢复"}
        problem(await desk.acting(case, "withdraw", desk.first, **said), 403, "not-yours-to-withdraw")
        handler = desk.client("handler", unit="37401", sub="E102")
        await desk.act(case, "dispatch", handler="E103")
        problem(await desk.acting(case, "withdraw", handler, **said), 403, "not-yours-to-withdraw")
        shown = await desk.act(case, "withdraw", desk.client("handler", unit="37401", sub="E103"), **said)
        assert (shown["state"], shown["outcome"]) == ("closed", "withdrawn")
        assert {clock["state"] for clock in shown["clocks"]} == {"cancelled"}
        (told,) = await desk.told("appeal.closed.v1")
        assert (told["outcome"], told["at"], told["by"]) == ("withdrawn", "2026-10-09T03:30:00Z", "E103")
        entry = await last(desk, case)
        assert (entry["kind"], entry["data"]["channel"], entry["data"]["note"]) == ("closed", "phone", "已自行恢复")
        question = await desk.raised(appeal_type="consultation")
        assert (await desk.act(question, "withdraw", desk.first, **said))["outcome"] == "withdrawn", "it accuses nobody"
        await desk.at("10-21T12:00")
        assert await desk.told("deadline.breached.v1", "deadline.warned.v1") == []

    async def test_not_before_it_was_raised_nor_in_the_future(self, desk: Desk) -> None:
        case = await desk.raised()
        for at, slug in (("10-09T09:00", "before-received"), ("10-09T18:00", "in-the-future")):
            problem(await desk.acting(case, "withdraw", at=at, channel="phone"), 422, slug)

    async def test_what_was_breached_before_stays_breached(self, desk: Desk) -> None:
        case = await desk.raised()
        await desk.at("10-10T12:00")
        shown = await desk.act(case, "withdraw", at="10-10T11:00", channel="phone")
        assert {clock["milestone"]: clock["state"] for clock in shown["clocks"]} == {
            "contact": "breached",
            "answer": "cancelled",
        }

    async def test_what_is_merged_into_it_ends_too(self, desk: Desk) -> None:
        leader = await desk.raised()
        its = (await desk.rows("SELECT customer_id FROM appeals"))[0]["customer_id"]
        other = await desk.raised(customer_id=its)
        await desk.act(other, "merge", into=leader)
        problem(await desk.acting(other, "withdraw", at="10-09T09:31", channel="phone"), 409, "appeal-merged")
        problem(await desk.acting(leader, "void", reason="重复登记"), 409, "others-follow")
        await desk.act(leader, "withdraw", at="10-09T09:31", channel="phone")
        assert [(await desk.appeal(each))["outcome"] for each in (leader, other)] == ["withdrawn", "merged"]

    @pytest.mark.clause("002 6.4.5.6")
    async def test_a_mistake_is_void_and_its_record_stays(self, desk: Desk) -> None:
        case = await desk.raised()
        assert (await desk.acting(case, "void", desk.first, reason="重复登记")).status_code == 403
        before = await desk.timeline(case)
        shown = await desk.act(case, "void", reason="重复登记")
        assert (shown["state"], shown["outcome"], shown["lacks"]) == ("closed", "void", [])
        after = await desk.timeline(case)
        assert after[: len(before)] == before
        assert (after[-1]["data"]["outcome"], after[-1]["data"]["reason"]) == ("void", "重复登记")
        assert [each["outcome"] for each in await desk.told("appeal.closed.v1")] == ["void"]

    @pytest.mark.parametrize("verb", ["return", "urge", "supervise", "withdraw", "void", "reclassify", "correct"])
    async def test_after_the_end_nothing_is_done(self, desk: Desk, verb: str) -> None:
        case = await desk.raised()
        await desk.act(case, "void", reason="重复登记")
        bodies: dict[str, dict[str, Any]] = {
            "return": OTHER,
            "void": OTHER,
            "withdraw": {"at": "10-09T09:31", "channel": "phone"},
            "reclassify": {"type": "report", **OTHER},
            "correct": {"category": "attitude", **OTHER},
        }
        assert problem(await desk.acting(case, verb, **bodies.get(verb, {})), 409, "appeal-closed")["rule"] == "closed"


class TestReclassifying:
    async def test_a_question_turns_out_to_be_a_complaint(self, desk: Desk) -> None:
        case = await desk.raised(appeal_type="consultation")
        (old,) = (await desk.clocks(case)).values()
        await desk.at("10-09T15:00")
        shown = await desk.act(case, "reclassify", desk.client("handler", unit="37401", sub="E102"), **COMPLAINT)
        assert (shown["type"], shown["round"], shown["state"]) == ("complaint", 2, "open")
        its = {(clock["round"], clock["milestone"]): clock for clock in shown["clocks"]}
        assert {key: clock["state"] for key, clock in its.items()} == {
            (1, "answer"): "cancelled",
            (2, "contact"): "running",
            (2, "answer"): "running",
        }
        assert its[1, "answer"]["id"] == old["id"]
        assert {its[2, milestone]["started_at"] for milestone in ("contact", "answer")} == {"2026-10-09T01:30:00Z"}
        assert its[2, "contact"]["due_at"] == "2026-10-10T01:30:00Z"
        (told,) = await desk.told("appeal.reclassified.v1")
        assert (told["old_appeal_type"], told["appeal_type"], len(told["clocks"])) == ("consultation", "complaint", 2)
        assert [each["clock_id"] for each in await desk.told("deadline.cancelled.v1")] == [old["id"]]
        problem(await desk.acting(case, "reclassify", **COMPLAINT), 409, "same-type")

    async def test_what_was_done_counts_by_its_true_time(self, desk: Desk) -> None:
        case = await desk.raised(appeal_type="consultation")
        await desk.at("10-12T12:00")
        await desk.contact(case, "10-09T11:00")
        shown = await desk.act(case, "reclassify", **COMPLAINT)
        contact = next(clock for clock in shown["clocks"] if clock["milestone"] == "contact")
        assert (shown["state"], contact["state"], contact["met_at"]) == ("contacted", "met", "2026-10-09T03:00:00Z")
        await desk.at("10-12T12:30")
        assert await desk.told("deadline.breached.v1") == []
        await desk.answer(case, "10-12T12:10")
        assert {clock["state"] for clock in (await desk.appeal(case))["clocks"]} == {"cancelled", "met"}

    async def test_a_promise_that_nobody_kept_is_broken_at_once(self, desk: Desk) -> None:
        case = await desk.raised(appeal_type="consultation")
        await desk.at("10-12T12:00")
        await desk.act(case, "reclassify", **COMPLAINT)
        await desk.at("10-12T12:01")
        (told,) = await desk.told("deadline.breached.v1")
        assert (told["milestone"], told["late_arrival"], told["round"]) == ("contact", True, 2)

    async def test_a_recorded_breach_stays_where_it_is(self, desk: Desk) -> None:
        case = await desk.raised()
        await desk.at("10-10T12:00")
        shown = await desk.act(case, "reclassify", type="report", reason="实为举报")
        assert {(clock["round"], clock["milestone"]): clock["state"] for clock in shown["clocks"]} == {
            (1, "contact"): "breached",
            (1, "answer"): "cancelled",
        }
        assert shown["no_clock_reason"] == "as_prescribed"
        await desk.at("10-21T12:00")
        assert len(await desk.told("deadline.breached.v1")) == 1

    @pytest.mark.clause("002 6.4.5.6")
    async def test_no_complaint_is_hidden_behind_another_name(self, desk: Desk) -> None:
        case = await desk.raised()
        handler = desk.client("handler", unit="37401", sub="E102")
        less = {"type": "suggestion", "reason": "客户语气缓和"}
        for other in (less, {**less, "type": "report"}):  # for which the floor has no deadline
            problem(await desk.acting(case, "reclassify", handler, **other), 403, "complaint-not-hidden")
        assert (await desk.act(case, "reclassify", **less))["type"] == "suggestion"

    async def test_after_it_was_reopened_it_begins_there(self, desk: Desk) -> None:
        case = await desk.raised(appeal_type="consultation")
        await desk.answer(case, "10-09T09:40")
        await desk.act(case, "close")
        await desk.at("10-12T09:00")
        await desk.act(case, "reopen", reason="客户不认可")
        shown = await desk.act(case, "reclassify", **COMPLAINT)
        answer = next(clock for clock in shown["clocks"] if (clock["round"], clock["milestone"]) == (3, "answer"))
        assert (answer["state"], answer["started_at"]) == ("running", "2026-10-12T01:00:00Z")

    async def test_the_audit_finds_nothing_wrong_with_it(self, desk: Desk) -> None:
        cases = [await desk.raised(appeal_type="consultation") for _ in range(3)]
        cases.append(await desk.raised(appeal_type="consultation", anonymous=True))
        await desk.at("10-12T12:00")
        await desk.contact(cases[0], "10-09T11:00")
        await desk.answer(cases[1], "10-12T11:00")
        for case in cases:
            await desk.act(case, "reclassify", **COMPLAINT)
        await desk.at("10-12T12:30")
        assert (await desk.clocks(cases[3])).keys() == {"answer"}
        assert await look(desk) == {}
        late = {clock["milestone"]: clock["state"] for clock in (await desk.appeal(cases[1]))["clocks"]}
        assert late == {"contact": "breached", "answer": "met"}


COMPLAINT = {"type": "complaint", "reason": "客户明确表示投诉"}


class TestCorrecting:
    @pytest.mark.clause("002 6.4.5.6")
    async def test_clocks_run_since_the_customer_spoke_in_truth(self, desk: Desk) -> None:
        case = await desk.raised()
        truly = instant("10-08T17:00").isoformat()
        shown = await desk.act(case, "correct", received_at=truly, category="attitude", reason="录音核对")
        clocks = {clock["milestone"]: clock["due_at"] for clock in shown["clocks"]}
        assert clocks == {"contact": "2026-10-09T09:00:00Z", "answer": "2026-10-16T16:00:00Z"}
        assert (shown["received_at"], shown["category"]) == ("2026-10-08T09:00:00Z", "attitude")
        (entry,) = [each for each in await desk.timeline(case) if each["kind"] == "corrected"]
        assert entry["data"]["old"] == {"received_at": "2026-10-09T01:30:00Z", "category": None}
        (told,) = await desk.told("appeal.corrected.v1")
        assert (told["facts"], told["received_at"]) == (["category", "received_at"], "2026-10-08T09:00:00Z")
        assert {each["cause"] for each in await desk.told("deadline.recalculated.v1")} == {"correction"}

    async def test_it_is_refused_where_it_would_say_what_cannot_be(self, desk: Desk) -> None:
        case = await desk.raised()
        await desk.at("10-09T12:00")
        await desk.contact(case, "10-09T11:00")

        async def refused(status: int, slug: str, **facts: Any) -> None:
            problem(await desk.acting(case, "correct", reason="录音核对", **facts), status, slug)

        await refused(422, "nothing-to-correct")
        await refused(422, "nothing-to-correct", received_at=instant("10-09T09:30").isoformat())
        await refused(409, "after-what-was-done", received_at=instant("10-09T11:30").isoformat())
        await refused(422, "in-the-future", received_at=instant("10-10T09:30").isoformat())
        await desk.answer(case, "10-09T11:50")
        await desk.act(case, "close")
        await desk.act(case, "reopen", reason="客户再次反映")
        await refused(409, "reopened-since", received_at=instant("10-09T09:00").isoformat())
        other = await desk.raised(appeal_type="report")
        problem(await desk.acting(other, "correct", category="attitude", reason="分类"), 422, "not-categorised")


async def test_a_contact_keeps_where_its_proof_is(desk: Desk) -> None:
    case = await desk.raised()
    body = {"at": instant("10-09T09:40").isoformat(), "channel": "phone", "result": "reached"}
    contact = await made(desk.first.post(f"/appeals/{case}/contacts", json={**body, "evidence": "录音 20261009-17"}))
    assert (contact["evidence"], contact["note"]) == ("录音 20261009-17", None)
    assert "录音" not in str(await desk.told("appeal.contacted.v1"))


@pytest.mark.clause("004 6.4")
async def test_acceptance_says_what_a_complaint_is_about(desk: Desk) -> None:
    case = await desk.raised()
    before = await desk.clocks(case)
    shown = await desk.act(case, "accept", category="efficiency")
    assert (shown["category"], shown["accepted_at"] is not None) == ("efficiency", True)
    assert await desk.clocks(case) == before
    other = await desk.raised(appeal_type="suggestion")
    problem(await desk.acting(other, "accept", category="efficiency"), 422, "not-categorised")
