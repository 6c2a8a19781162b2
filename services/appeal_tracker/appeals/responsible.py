"""Whose contact with the customer counts (相关负责人员, 000 §7.2.3)."""

from typing import Protocol

from chassis.web.auth import ADMIN
from chassis.web.tokens import Principal

HANDLER, SUPERVISOR = "handler", "supervisor"


class Entrusted(Protocol):
    """What is asked about an appeal."""

    handler: str | None
    first_contact: str | None
    handling_unit_code: str


def is_responsible(caller: Principal, appeal: Entrusted) -> bool:
    """Whether `caller`, who may see the appeal, is one of those whose contact counts.

    These are the handler, the first-contact person for good, and whoever supervises a unit it belongs to; while no
    handler is named, any handler of the handling unit. What anybody else reports is recorded and stops nothing: it did
    happen, but the promise to the customer is that somebody responsible calls.
    """
    return caller.sub == appeal.first_contact or is_at_work(caller, appeal)


def is_at_work(caller: Principal, appeal: Entrusted) -> bool:
    """Whether `caller`, who may see the appeal, handles it: the handler does, and while none is named any handler of
    the handling unit; whoever supervises a unit it belongs to may do what they do."""
    if caller.sub == appeal.handler or supervises(caller):
        return True
    return appeal.handler is None and HANDLER in caller.roles and caller.unit == appeal.handling_unit_code


def supervises(caller: Principal) -> bool:
    """Whether `caller`, who may see the appeal, supervises a unit it belongs to: it is theirs or below theirs."""
    return bool(caller.roles & {SUPERVISOR, ADMIN})
