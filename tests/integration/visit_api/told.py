"""A copy as another system builds it from `directory.changes` and `customer.changes`, from offset 0."""

from typing import Any

from tests.integration.visit_api.world import World

Things = dict[tuple[str, str], dict[str, Any]]  # by kind and id
_KINDS = {
    "directory.unit_changed.v1": "unit",
    "directory.unit_removed.v1": "unit",
    "directory.staff_changed.v1": "staff",
    "directory.staff_removed.v1": "staff",
    "customer.changed.v1": "customer",
    "customer.removed.v1": "customer",
}
# What is told of each, as the tables have it; whether somebody is at risk or in need is nobody's business on a topic.
_ON_RECORD = {
    "unit": "SELECT id, code AS unit_code, parent_code, merged_into, version FROM units",
    "staff": "SELECT id, staff_no, unit_code, roles, active, version FROM staff",
    "customer": """
        SELECT id, customer_no, regexp_replace(kind, '^other[.].*', 'other') AS kind, unit_code, version
        FROM customers WHERE removed_at IS NULL
    """,
}


async def copied(world: World) -> Things:
    """What was told last of each thing."""
    things: Things = {}
    for each in await world.told():
        kind = _KINDS.get(each.type)
        if kind is not None and each.payload is not None:
            things[kind, each.key] = each.payload
        elif kind is not None:
            things.pop((kind, each.key), None)
    return things


async def on_record(world: World) -> Things:
    """What is there of each."""
    things: Things = {}
    for kind, query in _ON_RECORD.items():
        for row in await world.rows(query):
            its = {**dict(row), "id": str(row["id"])}
            things[kind, its["id"]] = its
    return things
