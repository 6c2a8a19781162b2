"""When a recalculation that failed is tried again; those that failed before and follow by themselves are, at once.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0022"
down_revision = "0021"

RETRIES = """
ALTER TABLE recalculations ADD COLUMN tries integer NOT NULL DEFAULT 0, ADD COLUMN retry_at timestamptz;
UPDATE recalculations SET retry_at = now() WHERE state = 'failed' AND target IS NULL;
"""


def upgrade() -> None:
    run_scripts(RETRIES)
