"""Service accounts on the web, the groups they serve, and what is asked there."""

from datetime import datetime
from typing import ClassVar, Literal, get_args
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Uuid, text
from sqlalchemy.orm import Mapped, mapped_column

from chassis.db import Tracked
from visit_api.base import Base, Brought, Versioned
from visit_api.texts.models import Worded

Platform = Literal["wechat", "qq", "sgcc_app", "mail", "other"]
GroupKind = Literal["group", "direct"]

_PLATFORM = f"platform IN {get_args(Platform)}"


class Account(Versioned, Base):
    """An account by which a member of staff serves customers. `name` is made in one way for all: unit, post, who."""

    __tablename__ = "online_accounts"
    __table_args__ = (
        CheckConstraint(_PLATFORM, name="online_accounts_platform_known"),
        Index("online_accounts_one_in_use", "platform", "handle", unique=True, postgresql_where=text("active")),
        Index("online_accounts_staff_no", "staff_no"),
        Index("online_accounts_unit_code", "unit_code"),
        Index("online_accounts_feed", "changed_xid", "id"),
    )

    unit_code: Mapped[str] = mapped_column(ForeignKey("units.code"))
    staff_no: Mapped[str] = mapped_column(ForeignKey("staff.staff_no"))
    platform: Mapped[str]
    handle: Mapped[str]
    post: Mapped[str]
    name: Mapped[str]
    active: Mapped[bool]


class Group(Versioned, Base):
    """A group in which customers are served, or the direct line to one of them."""

    __tablename__ = "online_groups"
    __table_args__ = (
        CheckConstraint(_PLATFORM, name="online_groups_platform_known"),
        CheckConstraint(f"kind IN {get_args(GroupKind)}", name="online_groups_kind_known"),
        Index("online_groups_unit_code", "unit_code"),
        Index("online_groups_feed", "changed_xid", "id"),
    )

    unit_code: Mapped[str] = mapped_column(ForeignKey("units.code"))
    platform: Mapped[str]
    kind: Mapped[str]
    name: Mapped[str]
    customer_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))


class Membership(Tracked, Base):
    """An account's time in a group, from joining to leaving; `introduced_at`: when they said who they are."""

    __tablename__ = "online_memberships"
    __table_args__ = (
        Index(
            "online_memberships_one_at_a_time",
            "group_id",
            "account_id",
            unique=True,
            postgresql_where=text("left_at IS NULL"),
        ),
        Index("online_memberships_group_id", "group_id", "id"),
        Index("online_memberships_feed", "changed_xid", "id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    group_id: Mapped[UUID] = mapped_column(ForeignKey("online_groups.id"))
    account_id: Mapped[UUID] = mapped_column(ForeignKey("online_accounts.id"))
    joined_at: Mapped[datetime]
    introduced_at: Mapped[datetime | None]
    left_at: Mapped[datetime | None]


class Inquiry(Worded, Brought, Base):
    """What a customer asked in a group, and when and how it was answered."""

    __tablename__ = "online_inquiries"
    __table_args__ = (
        CheckConstraint(
            "(answered_at IS NULL) = (answer IS NULL AND answer_sealed IS NULL)", name="online_inquiries_answer_whole"
        ),
        CheckConstraint("(question IS NULL) = (question_sealed IS NOT NULL)", name="online_inquiries_asked"),
        Index("online_inquiries_group_id", "group_id", "id"),
        Index("online_inquiries_unit_code", "unit_code", "received_at"),
        Index("online_inquiries_visit_id", "visit_id"),
        Index("online_inquiries_feed", "changed_xid", "id"),
    )

    sealed_in: ClassVar = {"question_sealed": ("question",), "answer_sealed": ("answer",)}
    once: ClassVar = ("question_sealed", "answer_sealed", "content_digest")

    group_id: Mapped[UUID] = mapped_column(ForeignKey("online_groups.id"))
    unit_code: Mapped[str]
    customer_id: Mapped[UUID | None] = mapped_column(ForeignKey("customers.id"))
    visit_id: Mapped[UUID | None] = mapped_column(ForeignKey("visits.id"))
    question: Mapped[str | None]
    question_sealed: Mapped[bytes | None]
    received_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    recorded_by: Mapped[str]
    answer: Mapped[str | None]
    answer_sealed: Mapped[bytes | None]
    answered_at: Mapped[datetime | None]
    answered_by: Mapped[str | None]
