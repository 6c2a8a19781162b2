"""Absences say as of which change they were told, so that what older code wrote meanwhile is told, too.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    run_scripts("ALTER TABLE absences ADD COLUMN told_xid bigint;")
