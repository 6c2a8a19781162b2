"""Whose people an event asks, where that is not for the handling unit to do.

It only expands: the code of the revision before runs on this table while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0023"
down_revision = "0022"

_NOTICES = "ALTER TABLE notices ADD COLUMN asked_unit_code text;"


def upgrade() -> None:
    run_scripts(_NOTICES)
