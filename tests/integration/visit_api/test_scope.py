"""Who sees what: their own unit and those below it, as the tree is now; a raise walks the tree by its own statement."""

import pytest

from tests.integration.visit_api.world import COMPLAINT, World


@pytest.mark.parametrize(
    ("unit", "sees"), [("37401", True), ("374", True), ("37402", False), ("375", False), ("37401-1", False)]
)
async def test_a_visit_and_raising_on_it_are_for_its_unit_and_those_above(world: World, unit: str, sees: bool) -> None:
    await world.admin.post("/units", json={"code": "37401-1", "name": "一班", "parent_code": "37401"})
    visit = await world.visit("37401")
    someone = world.client("supervisor", unit=unit)
    assert (await someone.get(f"/visits/{visit['id']}")).status_code == (200 if sees else 404)
    assert (await someone.post(f"/visits/{visit['id']}/appeals", json=COMPLAINT)).status_code == (201 if sees else 404)
    assert len(await world.rows("SELECT 1 FROM appeals")) == sees


async def test_a_unit_that_moves_is_seen_from_above_its_new_place(world: World) -> None:
    visit = await world.visit("37402")
    path = f"/visits/{visit['id']}"
    assert (await world.visitor.post(f"{path}/appeals", json=COMPLAINT)).status_code == 404
    await world.admin.patch("/units/37402", json={"parent_code": "37401"}, headers={"If-Match": "*"})
    assert (await world.visitor.get(path)).status_code == 200
    assert (await world.visitor.post(f"{path}/appeals", json=COMPLAINT)).status_code == 201


async def test_a_cycle_that_should_not_be_ends_all_the_same(world: World) -> None:
    visit = await world.visit("37402")
    await world.rows("UPDATE units SET parent_code = '37402' WHERE code = '374'")
    for client, status in ((world.visitor, 404), (world.admin, 201)):
        assert (await client.post(f"/visits/{visit['id']}/appeals", json=COMPLAINT)).status_code == status
