"""An appeal is found by the number that people know it by; built while appeals go on.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import index_concurrently

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    index_concurrently("appeals_appeal_no", "ON appeals (appeal_no)")
