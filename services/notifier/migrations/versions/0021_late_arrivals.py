"""Whether a deadline was past already when it was heard of.

It only expands: the code of the revision before runs on this table while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0021"
down_revision = "0020"

_NOTICES = "ALTER TABLE notices ADD COLUMN late_arrival boolean NOT NULL DEFAULT false;"


def upgrade() -> None:
    run_scripts(_NOTICES)
