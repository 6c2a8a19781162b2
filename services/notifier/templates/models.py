"""Tables of templates."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import Tracked
from notifier.base import Base


class Template(Tracked, Base):
    """The text of an event type on a channel in a language, as it is in force; nobody published those that came with
    the service. `code` is for a release before this one."""

    __tablename__ = "templates"
    __table_args__ = (Index("templates_feed", "changed_xid", "id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    event_type: Mapped[str]
    channel: Mapped[str]
    language: Mapped[str]
    subject: Mapped[str]
    body: Mapped[str]
    code: Mapped[str | None]
    version: Mapped[int] = mapped_column(server_default="1")
    published_by: Mapped[str | None]


class TemplateVersion(Base):
    """A version of a template, as it was published; it never changes."""

    __tablename__ = "template_versions"

    template_id: Mapped[str] = mapped_column(ForeignKey(Template.id), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str]
    body: Mapped[str]
    code: Mapped[str | None]
    by: Mapped[str | None]
    at: Mapped[datetime]
