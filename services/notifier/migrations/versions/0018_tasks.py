"""Which task a callback is asked by, and whether it is owed to somebody who was dissatisfied.

It only expands: the code of the revision before runs on this table while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0018"
down_revision = "0017"

_NOTICES = "ALTER TABLE notices ADD COLUMN task_id uuid, ADD COLUMN kind text;"


def upgrade() -> None:
    run_scripts(_NOTICES)
