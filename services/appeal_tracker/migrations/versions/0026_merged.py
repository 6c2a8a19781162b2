"""When it was heard that a unit merged into another.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0026"
down_revision = "0025"

MERGED = """
ALTER TABLE units ADD COLUMN merged_at timestamptz;
UPDATE units SET merged_at = coalesce(moved_at, now()) WHERE merged_into IS NOT NULL;
"""


def upgrade() -> None:
    run_scripts(MERGED)
