"""Contacts at the edge."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Discriminator, Field, StringConstraints, Tag, with_config
from typing_extensions import TypedDict

from chassis.web.paging import Gone
from chassis.web.schemas import Body, Instant, Text, View
from visit_api.base import New
from visit_api.contacts.models import Channel, Consent, Role
from visit_api.customers.schemas import Phone

PersonName = Annotated[str, Text(100)]
Email = Annotated[str, StringConstraints(strict=True, max_length=254, pattern=r"^[!-?A-~]{1,64}@[!-?A-~]{1,189}$")]
Channels = Annotated[list[Channel], Field(max_length=10)]


class NewContact(New):
    """A person to speak to. `channels`: by which of them that person agreed to be reached, where consent was given."""

    kept_otherwise = frozenset({"name", "phone", "email"})

    name: PersonName
    role: Role
    phone: Phone | None = None
    email: Email | None = None
    consent: Consent = "not_asked"
    channels: Channels = []
    consented_at: Instant | None = None
    preferred: bool = False


@with_config(extra="forbid", strict=True)
class ContactChange(TypedDict, total=False):
    """What of a contact is to change."""

    name: PersonName
    role: Role
    phone: Phone | None
    email: Email | None
    consent: Consent
    channels: Channels
    consented_at: Instant | None
    preferred: bool


class ContactView(View):
    """A contact as it is shown: who it is, and how to reach them, is masked."""

    id: UUID
    customer_id: UUID
    role: str
    name: str
    phone: str | None
    email: str | None
    consent: str
    channels: list[str]
    consented_at: Instant | None
    preferred: bool
    version: int
    updated_at: Instant


class ContactInFull(View):
    """A contact, opened for a reason that the trail keeps."""

    id: UUID
    customer_id: UUID
    role: str
    name: str
    phone: str | None
    email: str | None


class RemovedContact(View):
    """What a feed says of a contact that is out of use."""

    id: UUID
    removed_at: Instant
    version: int
    updated_at: Instant


class Reached(View):
    """How a service that is about to send may reach a customer; nothing where nobody there agreed to it."""

    customer_id: UUID
    contact_id: UUID | None = None
    role: str | None = None
    name: str | None = None
    phone: str | None = None
    email: str | None = None
    channels: list[str] = []


class Wanted(Body):
    """Whom to look for: by a whole number, however it is written."""

    phone: Phone


class Found(View):
    """A customer who has that number, or a contact of whom has it."""

    customer_id: UUID
    contact_id: UUID | None
    name: str
    kind: str
    unit_code: str


class FoundAll(View):
    """Everybody found whom the caller may see, 200 at most."""

    items: list[Found]


def _tag(row: Any) -> str:
    if isinstance(row, Gone):
        return "gone"
    return "removed" if getattr(row, "removed_at", None) else "present"


ContactItem = Annotated[
    Annotated[ContactView, Tag("present")] | Annotated[RemovedContact, Tag("removed")] | Annotated[Gone, Tag("gone")],
    Discriminator(_tag),
]
