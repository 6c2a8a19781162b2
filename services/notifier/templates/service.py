"""What is done with templates: show them, publish versions, write with those in force."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from chassis.web.errors import FieldError, Forbidden, NotFound, Unprocessable, Words
from chassis.web.paging import Listing, Window
from chassis.web.tokens import Principal
from notifier.directory import service as directory
from notifier.templates import catalogue, sandbox
from notifier.templates.models import Template, TemplateVersion
from notifier.templates.sandbox import BadTemplate
from notifier.templates.schemas import TemplateBody
from notifier.templates.wording import ANY, CUSTOMERS, DIGEST, LINKS, Book, Notice, Text, Wording, variables

_FAULTS = {
    "syntax": Words("模板语法有误：{what}", "Not well-formed: {what}"),
    "forbidden": Words("模板中不允许：{what}", "Not allowed in a template: {what}"),
    "unknown_variable": Words("没有变量 {what}，可用的是 {known}", "There is no {what}; there are {known}"),
    "failing": Words("填入示例数据时出错", "It fails with sample data"),
}
_SAMPLE = Notice(
    event="deadline.breached",
    subject_kind="appeal",
    subject_id="0199c6a0-0000-7000-8000-000000000006",
    number="V00000001",
    appeal_type="complaint",
    milestone="contact",
    due_at=datetime(2026, 10, 10, 8, tzinfo=UTC),
    step="due",
    late=False,
    unit="37401",
    round=1,
)
# What is least: an act has no deadline, and its appeal was not heard of yet.
_BARE = msgspec.structs.replace(_SAMPLE, number=None, appeal_type=None, milestone=None, due_at=None, step=None)


async def book(tx: AsyncSession, language: catalogue.LanguageCode) -> Book:
    """The texts in force in a language."""
    rows = await tx.scalars(select(Template).where(Template.language == language))
    return Book(catalogue.language(language).words, [_wording(row) for row in rows])


async def listed(tx: AsyncSession, window: Window) -> Listing[Template]:
    """The texts in force; they belong to no unit."""
    return await window.fetch(tx, select(Template), Template)


async def one(tx: AsyncSession, id: str) -> Template:
    """The text in force. Raises `NotFound`."""
    row = await tx.get(Template, id)
    if row is None:
        raise NotFound
    return row


async def versions(tx: AsyncSession, id: str) -> Sequence[TemplateVersion]:
    """A text as it was published, version by version. Raises `NotFound`."""
    await one(tx, id)
    query = select(TemplateVersion).where(TemplateVersion.template_id == id).order_by(TemplateVersion.version)
    return (await tx.scalars(query)).all()


async def publish(tx: AsyncSession, caller: Principal, body: TemplateBody, now: datetime) -> Template:
    """Publishes a version for good, which is in force from now on. Raises `Forbidden` below the top, `Unprocessable`
    where it could fail."""
    if not await directory.is_top_level(tx, caller.unit):
        raise Forbidden
    written(body)
    name = f"{body.event_type}.{body.channel}.{body.language}"
    its = {**body.model_dump(), "published_by": caller.sub, "updated_at": now}
    new = insert(Template).values(id=name, **its)
    changed: dict[str, Any] = {column: new.excluded[column] for column in (*its, "changed_xid")}
    changed["version"] = Template.version + 1
    statement = new.on_conflict_do_update(index_elements=[Template.id], set_=changed).returning(Template)
    row = (await tx.scalars(statement, execution_options={"populate_existing": True})).one()
    kept = {column: getattr(row, column) for column in ("version", "subject", "body")}
    tx.add(TemplateVersion(template_id=name, **kept, by=caller.sub, at=now))
    await tx.flush()
    return row


def written(body: TemplateBody) -> Text:
    """What a text becomes, filled with sample data. Raises `Unprocessable` where it could fail."""
    for name in ("subject", "body"):
        try:
            sandbox.check(getattr(body, name), variables(body.event_type), LINKS.keys())
        except BadTemplate as error:
            raise _refused(f"/{name}", body.event_type, error) from error
    wording = Wording(event=body.event_type, channel=body.channel, subject=body.subject, body=body.body)
    words = catalogue.language(body.language).words
    name, customer = body.event_type.removeprefix(CUSTOMERS), body.event_type.startswith(CUSTOMERS)
    event = name if name not in (ANY, DIGEST) else _SAMPLE.event
    samples = [msgspec.structs.replace(each, event=event, customer=customer) for each in (_SAMPLE, _BARE)]
    values = [words.values(each) for each in (*samples, msgspec.structs.replace(samples[0], late=True))]
    if name == DIGEST:
        values = [{"count": 3, "first": words.plain(_SAMPLE).subject}]
    try:
        texts = [wording.fill(each) for each in values]
    except Exception as error:
        raise _refused("/body", body.event_type, BadTemplate("failing")) from error
    return texts[0]


def _refused(pointer: str, event: str, error: BadTemplate) -> Unprocessable:
    known = {"what": error.what, "known": ", ".join(sorted(variables(event)))}
    zh, en = (words.format_map(known).replace("{", "{{").replace("}", "}}") for words in _FAULTS[error.reason])
    return Unprocessable(FieldError(pointer, f"template_{error.reason}", Words(zh, en)))


def _wording(row: Template) -> Wording:
    return Wording(
        event=row.event_type,
        channel=row.channel,
        subject=row.subject,
        body=row.body,
        version=row.version,
    )
