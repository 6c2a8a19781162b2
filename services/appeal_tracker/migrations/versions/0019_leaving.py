"""The hand-overs of work that were heard of, and how far each has come.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0019"
down_revision = "0018"

LEAVING = """
CREATE TABLE hand_overs (
    id uuid PRIMARY KEY,
    unit_code text NOT NULL,
    staff_no text NOT NULL,
    to_staff_no text NOT NULL,
    by text NOT NULL,
    at timestamptz NOT NULL,
    after uuid,
    done boolean NOT NULL DEFAULT false
);
CREATE INDEX hand_overs_staff_no ON hand_overs (staff_no, at);
CREATE INDEX hand_overs_undone ON hand_overs (at, id) WHERE NOT done;
"""


def upgrade() -> None:
    run_scripts(LEAVING)
