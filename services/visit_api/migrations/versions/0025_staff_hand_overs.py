"""Whose open work was handed over as a whole."""

from chassis.migrate import run_scripts

revision = "0025"
down_revision = "0024"

HAND_OVERS = """
CREATE TABLE staff_hand_overs (
    id uuid PRIMARY KEY,
    staff_no text NOT NULL,
    to_staff_no text NOT NULL,
    unit_code text NOT NULL,
    reason text NOT NULL,
    leaves boolean NOT NULL,
    visits integer NOT NULL,
    obligations integer NOT NULL,
    measures integer NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    content_digest bytea NOT NULL,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint
);
CREATE INDEX staff_hand_overs_staff_no ON staff_hand_overs (staff_no, id);
CREATE INDEX staff_hand_overs_feed ON staff_hand_overs (changed_xid, id);
DO $$ BEGIN EXECUTE format('REVOKE UPDATE ON staff_hand_overs FROM %I', current_database() || '_service'); END $$;
"""


def upgrade() -> None:
    """Makes the table."""
    run_scripts(HAND_OVERS)
