"""Marks in time, by which a list that is followed from an instant on finds where that lies.

It only expands: the code of the revision before runs on these tables while it is being replaced, and sets none.
"""

from chassis.migrate import run_scripts

revision = "0030"
down_revision = "0029"

MARKS = """
CREATE TABLE feed_marks (
    at timestamptz PRIMARY KEY,
    xid bigint NOT NULL
);
"""


def upgrade() -> None:
    run_scripts(MARKS)
