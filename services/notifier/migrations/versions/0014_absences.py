"""Who is away, as the tracker says."""

from chassis.migrate import run_scripts

revision = "0014"
down_revision = "0013"

_ABSENCES = """
CREATE TABLE absences (
    id uuid PRIMARY KEY,
    staff_no text NOT NULL,
    substitute text,
    since timestamptz NOT NULL,
    until timestamptz,
    said_at timestamptz NOT NULL
);
CREATE INDEX absences_until_idx ON absences (until);
"""


def upgrade() -> None:
    run_scripts(_ABSENCES)
