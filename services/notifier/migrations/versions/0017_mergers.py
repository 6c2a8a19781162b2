"""Which unit merged into which.

It only expands: the code of the revision before runs on this table while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0017"
down_revision = "0016"

_UNITS = "ALTER TABLE units ADD COLUMN merged_into text;"


def upgrade() -> None:
    run_scripts(_UNITS)
