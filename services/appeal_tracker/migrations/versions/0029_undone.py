"""What a recalculation could not do, thing by thing, and why.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0029"
down_revision = "0028"

UNDONE = """
CREATE TABLE recalculation_failures (
    recalculation_id uuid NOT NULL,
    item uuid NOT NULL,
    subject_id uuid NOT NULL,
    why text NOT NULL,
    turn integer NOT NULL,
    settled_at timestamptz,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    PRIMARY KEY (recalculation_id, item)
);
CREATE INDEX recalculation_failures_feed ON recalculation_failures (changed_xid, item);
ALTER TABLE recalculations ADD COLUMN undone integer NOT NULL DEFAULT 0;
"""


def upgrade() -> None:
    run_scripts(UNDONE)
