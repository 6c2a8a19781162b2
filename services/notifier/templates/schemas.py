"""Templates at the edge."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from chassis.web.schemas import Body, Instant, Text, View
from notifier.names import ChannelName
from notifier.routes.events import ACTS, TELLABLE
from notifier.templates.catalogue import LanguageCode
from notifier.templates.wording import ANY, CUSTOMERS, DIGEST

_FOR_CUSTOMERS = [f"{CUSTOMERS}{event}" for event in (*sorted(ACTS), ANY, DIGEST)]
EventName = Literal[(*TELLABLE, ANY, DIGEST, *_FOR_CUSTOMERS)]  # type: ignore[valid-type]
ProviderCode = Annotated[str, StringConstraints(strict=True, pattern=r"^[A-Za-z0-9_-]{1,64}$")]


class TemplateBody(Body):
    """A text for an event type on a channel in a language; `*` is for events that have none of their own, `digest` goes
    around several messages that leave as one; with `customer:` before it a text is for customers alone. `{{ name }}`
    marks what is filled in. Under which code a provider has it is said of the account."""

    event_type: EventName
    channel: ChannelName
    language: LanguageCode
    subject: Annotated[str, Text(200)]
    body: Annotated[str, Text(2000, lines=True)]


class TemplateView(View):
    """A text as it is in force; nobody published those that came with the service."""

    id: str
    event_type: str
    channel: str
    language: str
    subject: str
    body: str
    version: int
    published_by: str | None
    updated_at: Instant


class TemplateVersionView(View):
    """A version of a text, as it was published."""

    version: int
    subject: str
    body: str
    by: str | None
    at: Instant


class WrittenView(View):
    """What a text becomes, filled with sample data."""

    subject: str
    body: str
    params: dict[str, str]
