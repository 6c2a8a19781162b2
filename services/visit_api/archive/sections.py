"""What belongs in the archive of a visit: one table, to which each slice that holds records of visits adds its line."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from sqlalchemy.ext.asyncio import AsyncSession

from chassis.runtime import Runtime
from chassis.web.errors import Words
from chassis.web.schemas import View
from visit_api.appointments import service as appointments
from visit_api.attachments import giving_up
from visit_api.attachments import service as attachments
from visit_api.checklists import service as checklists
from visit_api.customers.schemas import CustomerView
from visit_api.customers.service import customer_on_record
from visit_api.directory.staff import staff_on_record
from visit_api.obligations import service as obligations
from visit_api.online import service as online
from visit_api.progress import service as progress
from visit_api.steps import service as steps
from visit_api.sync import recording as sync
from visit_api.visits import service as visits
from visit_api.visits.lifecycle import Unmet
from visit_api.visits.models import Visit

OnRecord = Callable[[AsyncSession, Runtime, Visit], Awaitable[Any]]
Lacks = Callable[[AsyncSession, Runtime, Visit], Awaitable[list[Unmet]]]
Named = Callable[[AsyncSession, Runtime, Visit], Awaitable[Mapping[str, Mapping[str, Any]]]]


class Slice(NamedTuple):
    """A section of the record: what is archived in it, and what it lacks. `comes_late`: what is recorded after the
    archiving is a supplement, of a section in parts those of `late_parts`; `beside`: the fields of its rows that are no
    news when they alone change. `open`: what it lacks is still to be done, and no reason takes its place.
    `named`: what those of its gaps are called that bear an id. `rare`: it stands in a
    record only where there is something in it."""

    section: str
    on_record: OnRecord
    unmet: Lacks | None = None
    comes_late: bool = False
    late_parts: tuple[str, ...] = ()
    beside: tuple[str, ...] = ()
    open: bool = False
    named: Named | None = None
    rare: bool = False


async def _customer(tx: AsyncSession, runtime: Runtime, visit: Visit) -> dict[str, Any]:
    return as_shown(CustomerView, await customer_on_record(tx, runtime, visit.customer_id))


async def _visitors(tx: AsyncSession, runtime: Runtime, visit: Visit) -> list[dict[str, Any]]:
    staff = await staff_on_record(tx, visit.visitor_ids)
    return [{"staff_no": member.staff_no, "name": member.name, "post": member.post} for member in staff]


async def _nobody(tx: AsyncSession, runtime: Runtime, visit: Visit) -> list[Unmet]:
    return [] if visit.visitor_ids else [Unmet("004 3.4", "visitors")]  # who served, with number and post


async def _preparation(tx: AsyncSession, runtime: Runtime, visit: Visit) -> Any:
    return (await visits.on_record(tx, runtime, visit))["preparation"]


async def _hand_overs(tx: AsyncSession, runtime: Runtime, visit: Visit) -> Any:
    return (await visits.on_record(tx, runtime, visit))["hand_overs"]


def as_shown(view: type[View], row: Any) -> dict[str, Any]:
    """A row as JSON, the way its slice shows it."""
    return view.model_validate(row).model_dump(mode="json")


SLICES = (
    Slice("customer", _customer),
    Slice("visitors", _visitors, _nobody),
    Slice("plan", progress.on_record),
    Slice("preparation", _preparation, visits.unmet),
    Slice("appointments", appointments.on_record),
    Slice("hand_overs", _hand_overs),
    # An earlier version archived numbers of calls, and forgot none when the call was done.
    Slice(
        "obligations",
        obligations.on_record,
        obligations.unmet,
        comes_late=True,
        beside=("phone", "version", "updated_at"),
        open=True,
    ),
    Slice("checklist", checklists.on_record, checklists.unmet, comes_late=True),
    Slice("steps", steps.on_record, steps.unmet, comes_late=True, beside=("updated_at",)),
    Slice("online", online.on_record, online.unmet, comes_late=True, late_parts=("inquiries",)),
    Slice("devices", sync.on_record, sync.unmet, comes_late=True, open=True),
    Slice("doubles", sync.doubles_on_record, comes_late=True, rare=True),
    Slice("attachments", attachments.on_record, attachments.unmet, comes_late=True, named=attachments.names_of_unmet),
    Slice("given_up", giving_up.on_record, comes_late=True, rare=True),
)

# The sections in the order of the contents: title, and the clause each answers to.
TITLES: dict[str, tuple[Words, str]] = {
    "visit": (Words("走访基本情况", "The visit"), "7.1"),
    "service_record": (Words("服务记录", "Service record"), "004 3.4"),
    "customer": (Words("走访对象", "The customer"), "4"),
    "visitors": (Words("走访人员", "The visitors"), "8"),
    "plan": (Words("所属计划项", "What of a plan it was made for"), "9.1"),
    "preparation": (Words("走访前准备", "Preparation"), "7.2.1"),
    "appointments": (Words("预约情况", "Appointments"), "7.1"),
    "hand_overs": (Words("走访交接", "Hand-overs"), "7.1"),
    "obligations": (Words("未接及非工作时间来电的处理", "Calls that were owed an answer"), "6.2.2"),
    "checklist": (Words("渠道与行为规范自查", "Checklist and self-check"), "6"),
    "steps": (Words("走访内容", "What was done"), "5"),
    "online": (Words("线上服务", "Online service"), "6.3"),
    "devices": (Words("终端离线记录及冲突处理", "What devices brought, and what contradicted it"), "7.2.6"),
    "doubles": (Words("重复记录的认定", "Whether it was recorded twice"), "7.2.6"),
    "told": (Words("归档后的变化", "What came after"), "7.2.6"),
    "appeals": (Words("诉求及办理结果", "Appeals and what became of them"), "7.2.3"),
    "attachments": (Words("附件", "Attachments"), "7.2.6"),
    "given_up": (Words("放弃上传的附件", "Files that did not come"), "7.2.6"),
    "gaps": (Words("缺项及原因", "What is missing, and why"), "7.2.6"),
}
