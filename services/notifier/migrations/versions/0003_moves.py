"""When clocks are due now, or that they were cancelled, and which stand still: what waits to be sent goes by that."""

from chassis.migrate import run_scripts

revision = "0003"
down_revision = "0002"

_MOVES = """
CREATE TABLE moves (
    subject_id uuid NOT NULL,
    round integer NOT NULL,
    milestone text NOT NULL,
    due_at timestamptz,
    old_due_at timestamptz,
    said_at timestamptz NOT NULL,
    heard bigint NOT NULL DEFAULT nextval('hearing'),
    PRIMARY KEY (subject_id, round, milestone)
);
CREATE TABLE holds (
    subject_id uuid NOT NULL,
    round integer NOT NULL,
    milestones text[] NOT NULL,
    said_at timestamptz NOT NULL,
    heard bigint NOT NULL DEFAULT nextval('hearing'),
    PRIMARY KEY (subject_id, round)
);
"""


def upgrade() -> None:
    run_scripts(_MOVES)
