"""Who is away and who stands in, and the open appeals by their owner.

It only expands: the code of the fifth revision runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0006"
down_revision = "0005"

ABSENCES = """
CREATE TABLE absences (
    id uuid PRIMARY KEY,
    staff_no text NOT NULL,
    unit_code text NOT NULL,
    substitute text,
    since timestamptz NOT NULL,
    until timestamptz,
    recorded_by text NOT NULL,
    recorded_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)
);
CREATE INDEX absences_feed ON absences (changed_xid, id);
CREATE INDEX absences_unit_code ON absences (unit_code, id);
CREATE INDEX absences_until ON absences (until);
"""

OWNERS = """
CREATE INDEX appeals_owner ON appeals (coalesce(handler, first_contact), id) WHERE state <> 'closed';
"""


def upgrade() -> None:
    run_scripts(ABSENCES, OWNERS)
