"""Attachments at the edge."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from chassis.web.schemas import Body, Instant, Text, View
from visit_api.attachments.models import Kind
from visit_api.base import New

# Signs that a path may have are taken, and left out of the name that is kept.
FileName = Annotated[str, Text(255)]
Size = Annotated[int, Field(ge=1, le=1 << 40)]
Digest = Annotated[str, StringConstraints(strict=True, pattern="^[0-9a-f]{64}$")]


class NewAttachment(New):
    """A file to be uploaded: what it is, how many bytes it has, and their SHA-256 in lower-case hexadecimal. A
    `signature` is the customer's, drawn on the device."""

    name: FileName
    kind: Kind
    size: Size
    sha256: Digest


class GivingUp(Body):
    """Why a file that was declared is not coming."""

    reason: Annotated[str, Text(500, lines=True)]


class AttachmentView(View):
    """A file of a visit; its bytes can be had once it is `stored`, and `media_type` is what they were found to be. One
    that is `abandoned` was given up, with a reason, or left lying for too long by whoever declared it."""

    id: UUID
    visit_id: UUID
    unit_code: str
    name: str
    kind: str
    size: int
    sha256: str
    state: str
    media_type: str | None
    declared_by: str
    declared_at: Instant
    stored_at: Instant | None
    given_up_at: Instant | None
    given_up_by: str | None
    reason: str | None
    version: int
    updated_at: Instant


class GivenUpView(View):
    """A file that was to come and is not, and why, as it is archived."""

    id: UUID
    name: str
    kind: str
    declared_by: str
    declared_at: Instant
    given_up_by: str | None
    given_up_at: Instant
    reason: str


class PartView(View):
    """A part that has arrived."""

    number: int
    size: int


class UploadView(AttachmentView):
    """The same with the parts that have arrived; a part has at most `part_limit` bytes."""

    part_limit: int
    parts: list[PartView]
