"""The last move of a unit, for devices that ask whether there was one; built while others go on."""

from chassis.migrate import index_concurrently

revision = "0035"
down_revision = "0034"


def upgrade() -> None:
    index_concurrently("units_moved", "ON units (moved) WHERE moved IS NOT NULL")
