"""How staff are reached is sealed. What stands in the clear is sealed, and emptied, by a loop of the service.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0022"
down_revision = "0021"

REACHED = "ALTER TABLE staff ADD COLUMN reach_sealed bytea;"


def upgrade() -> None:
    """Adds the column."""
    run_scripts(REACHED)
