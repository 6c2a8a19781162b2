"""Which deadlines of an appeal were breached, and not only that one was: each may turn out to be met.

It only expands: the code of the revision before goes on by `overdue` alone, which says the same.
"""

from chassis.migrate import run_scripts

revision = "0047"
down_revision = "0046"

BREACHED = "ALTER TABLE risk_appeals ADD COLUMN breached uuid[] NOT NULL DEFAULT '{}'"


def upgrade() -> None:
    """Adds the column; of what was breached before it is not known which deadline it was."""
    run_scripts(BREACHED)
