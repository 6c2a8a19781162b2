"""Counts in which there is nothing any more, to be forgotten."""

from chassis.migrate import index_concurrently

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    index_concurrently("buckets_empty_at_idx", "ON buckets (empty_at)")
