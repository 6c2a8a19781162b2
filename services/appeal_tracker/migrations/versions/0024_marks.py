"""A clock bears the mark of its own change: the transaction, and when.

It only expands: the code of the revision before runs on these tables while it is being replaced. It marks the appeal.
"""

from chassis.migrate import run_scripts

revision = "0024"
down_revision = "0023"

MARKS = """
ALTER TABLE clocks ADD COLUMN changed_xid bigint;
ALTER TABLE clocks ADD COLUMN changed_at timestamptz;
"""


def upgrade() -> None:
    run_scripts(MARKS)
