"""Of which type a held appeal was, and when it was heard that a unit has another place in the tree.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0020"
down_revision = "0019"

BEARINGS = """
ALTER TABLE holds ADD COLUMN appeal_type text;
ALTER TABLE units ADD COLUMN moved_at timestamptz;
"""


def upgrade() -> None:
    run_scripts(BEARINGS)
