"""What is shown of templates."""

from chassis.web.schemas import View


class TemplateView(View):
    """A text as shipped. `$name` marks what is filled in."""

    id: str
    event_type: str
    channel: str
    language: str
    subject: str
    body: str
