"""Customers in the order in which they left, for feeds; built while others go on."""

from chassis.migrate import index_concurrently

revision = "0068"
down_revision = "0067"


def upgrade() -> None:
    index_concurrently("customer_leavings_feed", "ON customer_leavings (changed_xid, customer_id)")
