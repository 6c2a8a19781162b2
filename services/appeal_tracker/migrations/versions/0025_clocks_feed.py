"""The clocks in the order in which they changed by themselves; built while others go on."""

from chassis.migrate import index_concurrently

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    index_concurrently("clocks_feed", "ON clocks (changed_xid, subject_id) WHERE changed_xid IS NOT NULL")
