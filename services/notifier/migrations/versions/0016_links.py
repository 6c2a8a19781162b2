"""Whose customer's link a send bears; the link itself is kept nowhere.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0016"
down_revision = "0015"

_LINKS = """
ALTER TABLE sends ADD COLUMN link_for uuid;
"""


def upgrade() -> None:
    run_scripts(_LINKS)
