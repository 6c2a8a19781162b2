"""What customers said when they were called back: on the appeal, and in the archive; and of what type it is now."""

from typing import Any
from uuid import UUID

import pytest

from contracts.appeals import AppealCalledBack, AppealClosed, AppealReclassified
from tests.integration.visit_api.world import World


def act(world: World, appeal: dict[str, Any], round: int = 1) -> dict[str, Any]:
    its = {"appeal_id": UUID(appeal["id"]), "visit_id": UUID(appeal["visit_id"]), "unit_code": appeal["unit_code"]}
    return {**its, "round": round, "at": world.clock.now(), "by": "E201"}


def called_back(
    world: World, appeal: dict[str, Any], satisfaction: str | None, result: str = "completed"
) -> AppealCalledBack:
    """What the tracker tells when a customer was called back."""
    return AppealCalledBack(**act(world, appeal), result=result, satisfaction=satisfaction)


async def the_appeal(world: World, visit: dict[str, Any]) -> dict[str, Any]:
    """What is known of the one that was raised on a visit."""
    (its,) = (await world.admin.get(f"/visits/{visit['id']}/appeals")).json()["items"]
    return dict(its)


@pytest.mark.clause("9.4", "7.2.5.1", "9.2")
async def test_what_a_customer_says_on_the_callback_is_in_the_service_record(world: World) -> None:
    visit = await world.visit()
    appeal = await world.raised(visit["id"])
    assert (appeal["satisfaction"], appeal["callback_result"]) == (None, None)
    await world.act(visit["id"], "start", "complete")
    unreached = called_back(world, appeal, None, "unreachable")
    world.later(hours=1)
    rated = called_back(world, appeal, "2")
    await world.hear(rated, unreached)
    its = await the_appeal(world, visit)
    assert (its["satisfaction"], its["callback_result"], its["state"]) == ("2", "completed", "open")
    world.later(hours=1)
    await world.hear(called_back(world, appeal, None, "refused"))
    its = await the_appeal(world, visit)
    assert (its["satisfaction"], its["callback_result"]) == ("2", "refused"), "nothing was taken back"
    await world.hear(AppealClosed(**act(world, appeal), outcome="resolved"))
    await world.act(visit["id"], "archive")
    world.later(days=1)
    await world.hear(called_back(world, appeal, "5"))
    supervisor = world.client("supervisor", unit="37401")
    archive = (await supervisor.get(f"/archive/{visit['id']}")).json()
    record = archive["record"]["record"]
    assert record["service_record"]["feedback"] == [{"appeal_no": appeal["appeal_no"], "satisfaction": "2"}]
    (late,) = archive["supplements"]
    assert late["record"]["told"]["type"] == "appeal.called_back.v1"
    assert late["record"]["appeals"][0]["satisfaction"] == "5"
    page = (await supervisor.get(f"/archive/{visit['id']}", headers={"Accept": "text/html"})).text
    assert "满意度（1–5）" in page
    assert "诉求回访" in page


async def test_an_appeal_keeps_the_type_it_was_raised_as_beside_the_one_it_is_of_now(world: World) -> None:
    visit = await world.visit()
    appeal = await world.raised(visit["id"])
    assert appeal["reclassified_to"] is None
    types = {"appeal_type": "report", "old_appeal_type": "complaint", "clocks": []}
    await world.hear(AppealReclassified(**act(world, appeal, 2), **types))
    its = await the_appeal(world, visit)
    assert (its["type"], its["reclassified_to"], its["round"], its["state"]) == ("complaint", "report", 2, "open")
    types = {"appeal_type": "complaint", "old_appeal_type": "report", "clocks": []}
    await world.hear(AppealReclassified(**act(world, appeal, 3), **types))
    assert (await the_appeal(world, visit))["reclassified_to"] is None
