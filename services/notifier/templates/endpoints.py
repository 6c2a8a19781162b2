"""HTTP of templates."""

from typing import Annotated

from fastapi import Depends

from chassis.web.auth import ADMIN, Asker, Caller, require
from chassis.web.paging import CommonPaging, Listing, Page, WholePaging
from chassis.web.route import Router
from chassis.web.tokens import Principal
from chassis.web.work import TheRuntime, Tx
from notifier.templates import service
from notifier.templates.models import Template, TemplateVersion
from notifier.templates.schemas import TemplateBody, TemplateVersionView, TemplateView, WrittenView
from notifier.templates.wording import Text

router = Router(prefix="/v1/templates", tags=["templates"])


@router.get("", response_model=Page[TemplateView])
async def list_templates(tx: Tx, caller: Caller, paging: CommonPaging) -> Listing[Template]:
    """The texts in force, those that came with the service and those published since."""
    return await service.listed(tx, paging)


@router.post("", status_code=201, response_model=TemplateView)
async def publish_template(
    tx: Tx, runtime: TheRuntime, caller: Annotated[Principal, Depends(require(ADMIN))], body: TemplateBody
) -> Template:
    """Publishes a version of a text for good, in force from now on; by an admin of a top-level unit. One that could
    fail is refused."""
    return await service.publish(tx, caller, body, runtime.clock.now())


@router.post("/preview", response_model=WrittenView)
async def preview_template(caller: Asker, body: TemplateBody) -> Text:
    """What a text becomes, filled with sample data; nothing is stored."""
    return service.written(body)


@router.get("/{id}", response_model=TemplateView)
async def get_template(tx: Tx, caller: Caller, id: str) -> Template:
    """One text in force."""
    return await service.one(tx, id)


@router.get("/{id}/versions", response_model=Page[TemplateVersionView])
async def list_template_versions(tx: Tx, caller: Caller, window: WholePaging, id: str) -> Listing[TemplateVersion]:
    """A text as it was published, version by version."""
    return window.of(await service.versions(tx, id), lambda its: f"{its.version:09}")
