"""When a timer's moment was set, where that had passed by then.

It only expands: the code of the revision before runs on these tables while it is being replaced, and sets none.
"""

from chassis.migrate import run_scripts

revision = "0036"
down_revision = "0035"

SET_AT = """
ALTER TABLE timers ADD COLUMN set_at timestamptz;
"""


def upgrade() -> None:
    run_scripts(SET_AT)
