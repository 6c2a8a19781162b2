"""Whom older code asked to call about a hidden appeal, and which callbacks it asked nobody for, is put right by the
upkeep, which begins anew.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0034"
down_revision = "0033"

ASKED = """
DELETE FROM upkeep;
"""


def upgrade() -> None:
    run_scripts(ASKED)
