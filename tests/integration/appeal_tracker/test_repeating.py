"""A matter that comes back is linked to what it was before, and those above hear of it the second time."""

from datetime import timedelta
from typing import Any

import pytest

from appeal_tracker.appeals import repository
from chassis.ids import new_id
from tests.integration.appeal_tracker.desk import RECEIVED, Desk, raised


async def links(desk: Desk, *cases: str) -> list[tuple[Any, Any]]:
    its = [await desk.appeal(case) for case in cases]
    return [(each["repeat_of"], each["repeats"]) for each in its]


@pytest.mark.clause("7.2.5")
async def test_a_matter_that_comes_back_is_linked_and_told_above_the_second_time(desk: Desk) -> None:
    customer, opinion = new_id(), "opinion"
    its = {"customer_id": customer, "appeal_type": opinion}
    days = (90, 59, 20, 0)
    first, second, third, fourth = [
        await desk.raised(**its, received_at=RECEIVED - timedelta(days=each)) for each in days
    ]
    other = await desk.raised(customer_id=customer, appeal_type="suggestion")
    hidden = await desk.raised(customer_id=None, confidential=True, visit_id=None, appeal_type=opinion)
    nameless = await desk.raised(**its, anonymous=True)
    assert await links(desk, first, second, third, fourth) == [(None, 0), (first, 1), (second, 2), (third, 3)]
    assert await links(desk, other, hidden, nameless) == [(None, 0)] * 3
    assert [(each["appeal_id"], each["repeats"], each["times"]) for each in await desk.told("appeal.repeated.v1")] == [
        (second, first, 1),
        (third, second, 2),
        (fourth, third, 3),
    ]
    assert [each["appeal_id"] for each in await desk.told("appeal.repeated_again.v1")] == [third]
    (came_back,) = [each["data"] for each in await desk.timeline(first) if each["kind"] == "came_back"]
    assert came_back == {"appeal_id": second, "times": 1}
    assert [each["data"]["repeat_of"] for each in await desk.timeline(second) if each["kind"] == "repeated"] == [first]


async def test_it_is_no_return_after_some_days_nor_on_one_visit_and_a_batch_counts_itself(
    desk: Desk,
) -> None:
    await desk.publish(id="month", title="企标", repeat_days=90)
    await desk.assign("37402", "month")
    customer, visit = new_id(), new_id()
    its = {"customer_id": customer, "appeal_type": "opinion"}
    await desk.raised(**its, received_at=RECEIVED - timedelta(days=80))
    late = await desk.raised(**its, visit_id=visit)  # 60 days of the floor
    twin = await desk.raised(**its, visit_id=visit)
    assert await links(desk, late, twin) == [(None, 0)] * 2
    batch = [raised(**its, received_at=RECEIVED + timedelta(minutes=each), unit_code="37402") for each in (1, 2)]
    await desk.hear(*batch)
    assert [times for _, times in await links(desk, *(str(each.appeal_id) for each in batch))] == [1, 2]


async def test_a_complaint_is_looked_at_again_once_it_is_known_what_it_is_about(desk: Desk) -> None:
    customer = new_id()
    first = await desk.raised(customer_id=customer, received_at=RECEIVED - timedelta(days=9))
    await desk.act(first, "accept", desk.first, category="attitude")
    second, third = [await desk.raised(customer_id=customer) for _ in range(2)]
    await desk.act(second, "accept", desk.first, category="attitude")
    await desk.act(third, "accept", desk.first, category="efficiency")
    assert (await links(desk, second))[0] == (first, 1)


async def test_what_is_heard_of_late_is_counted_and_what_is_asked_is_told_nobody(desk: Desk) -> None:
    its: dict[str, Any] = {"customer_id": new_id(), "appeal_type": "report"}
    cases = {days: await desk.raised(**its, received_at=RECEIVED - timedelta(days=days)) for days in (9, 3, 1)}
    assert await links(desk, *cases.values()) == [(None, 0), (cases[9], 1), (cases[3], 2)]
    cases[5] = await desk.raised(**its, received_at=RECEIVED - timedelta(days=5))
    assert await links(desk, cases[5], cases[3], cases[1]) == [(cases[9], 1), (cases[5], 2), (cases[3], 3)]
    assert [each["appeal_id"] for each in await desk.told("appeal.repeated_again.v1")] == [cases[1]], "once of a matter"
    await desk.act(cases[9], "void", reason="重复登记")
    await desk.stack.settle()
    assert await links(desk, cases[5], cases[3], cases[1]) == [(None, 0), (cases[5], 1), (cases[3], 2)]
    (undone,) = [each["data"] for each in await desk.timeline(cases[5]) if each["kind"] == "repeats_nothing"]
    assert undone == {"repeat_of": cases[9]}
    told = len(await desk.told("appeal.repeated_again.v1"))
    its["appeal_type"] = "consultation"
    questions = [await desk.raised(**its, received_at=RECEIVED - timedelta(days=days)) for days in (2, 1, 0)]
    assert await links(desk, *questions) == [(None, 0), (questions[0], 1), (questions[1], 2)]
    assert len(await desk.told("appeal.repeated_again.v1")) == told, "another matter each time, as far as one can tell"


async def test_one_that_is_heard_of_late_is_no_news_before_the_one_that_was(desk: Desk) -> None:
    its: dict[str, Any] = {"customer_id": new_id(), "appeal_type": "report"}
    cases = {days: await desk.raised(**its, received_at=RECEIVED - timedelta(days=days)) for days in (9, 5, 1, 3)}
    assert await links(desk, *cases.values()) == [(None, 0), (cases[9], 1), (cases[3], 3), (cases[5], 2)]
    assert [each["appeal_id"] for each in await desk.told("appeal.repeated_again.v1")] == [cases[1]]


@pytest.mark.clause("002 6.4.5.6")
async def test_a_link_by_a_category_that_was_wrong_is_undone_with_it(desk: Desk) -> None:
    its = {"customer_id": new_id()}
    first, second, third = [await desk.raised(**its, received_at=RECEIVED - timedelta(days=days)) for days in (2, 1, 0)]
    for case, category in ((first, "attitude"), (second, "attitude"), (third, "efficiency")):
        await desk.act(case, "accept", category=category)
    assert await links(desk, first, second, third) == [(None, 0), (first, 1), (None, 0)]
    await desk.act(second, "correct", category="efficiency", reason="录音核对")
    assert await links(desk, second) == [(None, 0)], "at once"
    await desk.stack.settle()
    assert await links(desk, third) == [(second, 1)], "and what is of its matter now by the upkeep"
    await desk.act(second, "correct", category="content", reason="录音核对")
    await desk.stack.settle()
    assert await links(desk, third) == [(None, 0)]
    kinds = [each["kind"] for each in await desk.timeline(third)]
    assert kinds == ["opened", "accepted", "repeated", "repeats_nothing"]


async def test_so_many_returns_stand_for_more(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository, "RETURNS", 3)
    monkeypatch.setattr(repository, "_RETURNED", repository._RETURNED.replace("+ 1, 0), 20)", "+ 1, 0), 3)"))
    its: dict[str, Any] = {"customer_id": new_id(), "appeal_type": "opinion"}
    cases = [await desk.raised(**its, received_at=RECEIVED - timedelta(days=days)) for days in range(9, 3, -1)]
    assert [times for _, times in await links(desk, *cases)] == [0, 1, 2, 3, 3, 3]
    told = len(await desk.told("appeal.repeated.v1"))
    await desk.raised(**its, received_at=RECEIVED - timedelta(days=10))
    assert [times for _, times in await links(desk, *cases)] == [1, 2, 3, 3, 3, 3]
    assert len(await desk.told("appeal.repeated.v1")) == told + 3, "the rest of the line stays as it is"
