"""When clocks were held, or put later: what was to be said of them before has no object any more."""

from chassis.migrate import run_scripts

revision = "0003"
down_revision = "0002"

_MOVES = """
CREATE TABLE moves (
    subject_id uuid NOT NULL,
    round integer NOT NULL,
    milestone text NOT NULL,
    said_at timestamptz NOT NULL,
    heard bigint NOT NULL DEFAULT nextval('hearing'),
    PRIMARY KEY (subject_id, round, milestone)
);
"""


def upgrade() -> None:
    run_scripts(_MOVES)
