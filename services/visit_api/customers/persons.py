"""Whose name is somebody's own: a natural person's is personal data, a firm's or a government's is not. Pure."""

from visit_api.customers.particulars import SPECIAL_GROUP

ORDINARY = "other.ordinary"
RESIDENT = "low_voltage_resident"
FIRMS = ("high_voltage", "low_voltage_non_resident")


def is_person(kind: str, sort: str | None) -> bool:
    """Whether a customer is, or may be, a natural person: one of a special group (§4.4.3), whom a marketing system
    calls a resident, and an ordinary one of whom it says nothing."""
    return kind == SPECIAL_GROUP or sort == RESIDENT or (kind == ORDINARY and sort not in FIRMS)


# The same, in SQL.
PERSON = f"""(
    kind = '{SPECIAL_GROUP}' OR supply ->> 'sort' = '{RESIDENT}'
    OR (kind = '{ORDINARY}' AND coalesce(supply ->> 'sort', '') NOT IN {FIRMS})
)"""
