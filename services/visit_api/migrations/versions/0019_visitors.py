"""Visits are found by who makes them."""

from chassis.migrate import run_scripts

revision = "0019"
down_revision = "0018"

VISITORS = "CREATE INDEX visits_visitor_ids ON visits USING gin (visitor_ids);"


def upgrade() -> None:
    """Makes the index."""
    run_scripts(VISITORS)
