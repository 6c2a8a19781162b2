"""Which unit merged into which.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0021"
down_revision = "0020"

UNITS = "ALTER TABLE units ADD COLUMN merged_into text;"


def upgrade() -> None:
    run_scripts(UNITS)
