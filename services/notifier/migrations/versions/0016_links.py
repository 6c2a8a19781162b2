"""Whose customer's link a send bears (the link itself is kept nowhere); who is to call a customer back.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0016"
down_revision = "0015"

_LINKS = """
ALTER TABLE sends ADD COLUMN link_for uuid;
ALTER TABLE notices ADD COLUMN person text;
"""


def upgrade() -> None:
    run_scripts(_LINKS)
