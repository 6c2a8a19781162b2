"""HTTP of templates: read only, since they are shipped with the service."""

from chassis.web.auth import Caller
from chassis.web.errors import NotFound
from chassis.web.paging import Listing, Page, WholePaging
from chassis.web.route import Router
from notifier.templates.catalogue import LANGUAGES, language
from notifier.templates.schemas import TemplateView

router = Router(prefix="/v1/templates", tags=["templates"])


def _shipped() -> dict[str, TemplateView]:
    views = [
        TemplateView(
            id=f"{wording.event}.{wording.channel}.{code}",
            event_type=wording.event,
            channel=wording.channel,
            language=code,
            subject=wording.subject,
            body=wording.body,
        )
        for code in LANGUAGES
        for wording in language(code).templates
    ]
    return {view.id: view for view in views}


@router.get("", response_model=Page[TemplateView])
async def list_templates(caller: Caller, window: WholePaging) -> Listing[TemplateView]:
    """All texts. They change with the release only: a feed gives all of them, each time."""
    return window.of([*_shipped().values()], lambda view: view.id)


@router.get("/{id}")
async def get_template(caller: Caller, id: str) -> TemplateView:
    """One text."""
    view = _shipped().get(id)
    if view is None:
        raise NotFound
    return view
