"""How many strategies were handed over with the rest, and how many accounts and memberships of groups ended with it.

It only expands: the code of the revision before runs on this table while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0058"
down_revision = "0057"

COUNTS = """
ALTER TABLE staff_hand_overs
    ADD COLUMN strategies integer NOT NULL DEFAULT 0,
    ADD COLUMN accounts integer NOT NULL DEFAULT 0,
    ADD COLUMN memberships integer NOT NULL DEFAULT 0;
"""


def upgrade() -> None:
    """Adds the counts; nothing of it was handed over before."""
    run_scripts(COUNTS)
