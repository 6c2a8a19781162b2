"""Policy posts for online channels."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from visit_api.base import Base, Brought
from visit_api.posts.lifecycle import PostState


class PolicyPost(Brought, Base):
    """A post, whose words never change: what was approved is what is published."""

    __tablename__ = "policy_posts"
    __table_args__ = (
        CheckConstraint(f"state IN {tuple(map(str, PostState))}", name="policy_posts_state_known"),
        CheckConstraint(
            "state NOT IN ('approved', 'published') OR decided_by NOT IN (drafted_by, submitted_by)",
            name="policy_posts_approved_by_another",
        ),
        Index("policy_posts_unit_code", "unit_code"),
        Index("policy_posts_feed", "changed_xid", "id"),
    )

    unit_code: Mapped[str] = mapped_column(ForeignKey("units.code"))
    title: Mapped[str]
    text: Mapped[str]
    material_id: Mapped[UUID | None] = mapped_column(ForeignKey("materials.id"))
    group_ids: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid))
    state: Mapped[str]
    drafted_by: Mapped[str]
    submitted_by: Mapped[str | None]
    submitted_at: Mapped[datetime | None]
    decided_by: Mapped[str | None]
    decided_at: Mapped[datetime | None]
    reason: Mapped[str | None]
    published_by: Mapped[str | None]
    published_at: Mapped[datetime | None]
