"""By which channel a message did not arrive, where another one was tried for that.

It only expands: the code of the revision before runs on this table while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0022"
down_revision = "0021"

_DELIVERIES = "ALTER TABLE deliveries ADD COLUMN fallback_of text;"


def upgrade() -> None:
    run_scripts(_DELIVERIES)
