"""Strategies by who sees to them, for whoever hands them over; built while others go on."""

from chassis.migrate import index_concurrently

revision = "0062"
down_revision = "0061"


def upgrade() -> None:
    owned = "ON steps ((content ->> 'owner')) WHERE kind = 'strategy' AND superseded_by IS NULL"
    index_concurrently("steps_strategies_of", owned)
