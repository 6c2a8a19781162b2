"""Which columns of a file nothing is taken of is said of its import.

It only expands: the code of the revision before names none.
"""

from chassis.migrate import run_scripts

revision = "0056"
down_revision = "0055"

IGNORED = "ALTER TABLE imports ADD COLUMN ignored text[] NOT NULL DEFAULT '{}'"


def upgrade() -> None:
    """Adds the column; of files that were read before it is not known."""
    run_scripts(IGNORED)
