"""Steps of a unit, for lists of them; built while others go on."""

from chassis.migrate import index_concurrently

revision = "0050"
down_revision = "0049"


def upgrade() -> None:
    index_concurrently("steps_unit_code", "ON steps (unit_code, id)")
