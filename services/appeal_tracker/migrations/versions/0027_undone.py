"""What a recalculation could not do, thing by thing, and why.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0027"
down_revision = "0026"

UNDONE = """
CREATE TABLE recalculation_failures (
    recalculation_id uuid NOT NULL,
    item uuid NOT NULL,
    why text NOT NULL,
    turn integer NOT NULL,
    failed_at timestamptz NOT NULL,
    settled_at timestamptz,
    PRIMARY KEY (recalculation_id, item)
);
ALTER TABLE recalculations ADD COLUMN undone integer NOT NULL DEFAULT 0;
"""


def upgrade() -> None:
    run_scripts(UNDONE)
