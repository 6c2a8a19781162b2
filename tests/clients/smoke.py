"""The way of one complaint by the generated client: `SMOKE=… python smoke.py`, with nothing of ours on the path.

What it needs comes in SMOKE, what it found goes out as one line. The packages are called `<service>_client`.
"""

import importlib
import json
import os
import pkgutil
import time
from datetime import datetime
from types import ModuleType
from typing import Any, TypeVar
from uuid import UUID

import appeal_tracker_client as tracker
import notifier_client as notifier
import visit_api_client as visits

Shown = TypeVar("Shown")


def load_all(package: ModuleType) -> None:
    """Every module that was generated."""
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)


def got(kind: type[Shown], answer: Any) -> Shown:
    """The answer, which must be of that kind."""
    if not isinstance(answer, kind):
        raise TypeError(f"not {kind.__name__}: {answer}")
    return answer


def smoke(urls: dict[str, str], token: str, unit_code: str, now: datetime) -> dict[str, Any]:
    """What the client is told on the way."""
    there = visits.AuthenticatedClient(urls["visit_api"], token)
    api, models = visits.api, visits.models
    unit = got(
        models.UnitView, api.directory.add_unit.sync(client=there, body=models.NewUnit(unit_code, "历下供电中心"))
    )
    customer = got(
        models.CustomerView,
        api.customers.add_customer.sync(
            client=there, body=models.NewCustomer(models.NewCustomerKind.OTHER_IMPORTANT, "齐鲁机床", unit.code)
        ),
    )
    visit = got(
        models.VisitView,
        api.visits.plan_visit.sync(
            client=there, body=models.NewVisit(models.NewVisitChannel.ON_SITE, customer.id, scheduled_at=now)
        ),
    )
    started = got(
        models.VisitView,
        api.visits.start_visit.sync(visit.id, client=there, body=models.Moment(), idempotency_key=f"start-{visit.id}"),
    )
    raised = got(
        models.AppealView,
        api.appeals.raise_appeal.sync(
            visit.id,
            client=there,
            body=models.NewAppeal(received_at=now, summary="三天两头停电", type_=models.NewAppealType.COMPLAINT),
        ),
    )
    appeal = heard(urls["appeal_tracker"], token, raised.id)
    archive = got(models.ArchiveEntryViewPage, api.archive.list_archive.sync(client=there, unit_code=unit.code))
    told = notifier.AuthenticatedClient(urls["notifier"], token)
    deliveries = got(
        notifier.models.DeliveryViewPage, notifier.api.deliveries.list_deliveries.sync(client=told, appeal_id=raised.id)
    )
    return {
        "visit": started.state,
        "clocks": [[clock.milestone, clock.state] for clock in appeal.clocks],
        "archived": len(archive.items),
        "deliveries": len(deliveries.items),
        "staff": told_of_staff(there, unit.code),
        "missing": got(models.Problem, api.visits.get_visit.sync(raised.id, client=there)).status,
    }


def told_of_staff(there: Any, unit_code: str) -> list[list[str]]:
    """What a list, and the feed, of a unit's staff have once one of two went to a unit below it."""
    api, models = visits.api.directory, visits.models
    below = models.NewUnit(f"{unit_code}01", "班组", parent_code=unit_code)
    got(models.UnitView, api.add_unit.sync(client=there, body=below))
    for number in ("1", "2"):
        new = models.NewStaff("某人", [models.NewStaffRolesItem.VISITOR], f"{unit_code}-{number}", unit_code)
        got(models.StaffView, api.add_staff.sync(client=there, body=new))
    moved = models.StaffChange(unit_code=below.code)
    got(models.StaffView, api.change_staff.sync(f"{unit_code}-1", client=there, body=moved, if_match="*"))
    listed = got(models.StaffViewPage, api.list_staff.sync(client=there, unit_code=unit_code)).items
    ever = datetime.fromisoformat("2020-01-01T00:00:00+00:00")
    for _ in range(200):  # what others were writing meanwhile comes first
        page = api.list_staff.sync(client=there, unit_code=unit_code, updated_since=ever)
        if len(told := got(models.StaffViewPage, page).items) == len(listed) + 1:
            return [sorted(type(each).__name__ for each in its) for its in (listed, told)]
        time.sleep(0.05)
    raise TimeoutError("the feed never told that somebody went")


def heard(url: str, token: str, appeal: UUID) -> Any:
    """The appeal as the tracker shows it, once it has heard of it."""
    there = tracker.AuthenticatedClient(url, token)
    for _ in range(200):
        shown = tracker.api.appeals.show_appeal.sync(appeal, client=there)
        if isinstance(shown, tracker.models.AppealView):
            return shown
        time.sleep(0.05)
    raise TimeoutError("the tracker never heard of it")


if __name__ == "__main__":
    given = json.loads(os.environ["SMOKE"])
    for package in (visits, tracker, notifier):
        load_all(package)
    print(json.dumps(smoke(given["urls"], given["token"], given["unit"], datetime.fromisoformat(given["now"]))))
