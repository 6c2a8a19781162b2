"""Customers by id, number, kind and unit; the rest is asked over HTTP by those who may."""

from uuid import UUID

from contracts.envelope import Event
from contracts.fields import CustomerKind, Number, UnitCode


class CustomerChanged(Event, type="customer.changed.v1", topic="customer.changes", key="id"):
    """A customer as it is since `version`; a lower version heard later is stale."""

    id: UUID
    customer_no: Number | None
    kind: CustomerKind
    unit_code: UnitCode
    version: int


class CustomerRemoved(Event, type="customer.removed.v1", topic="customer.changes", key="id", tombstone=True):
    """A customer is gone."""

    id: UUID
