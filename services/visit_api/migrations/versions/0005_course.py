"""The course of a visit: its kit, appointments with the customer, and to whom it was handed."""

from chassis.migrate import run_scripts

revision = "0005"
down_revision = "0004"

VISITS = """
ALTER TABLE visits
    ADD COLUMN prepared_at timestamptz,
    ADD COLUMN prepared_by text,
    ADD COLUMN window_from timestamptz,
    ADD COLUMN window_to timestamptz;

CREATE TABLE visit_hand_overs (
    id uuid PRIMARY KEY,
    visit_id uuid NOT NULL REFERENCES visits (id),
    unit_code text NOT NULL,
    from_visitors text[] NOT NULL,
    to_visitors text[] NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint
);
CREATE INDEX visit_hand_overs_visit_id ON visit_hand_overs (visit_id, id);
CREATE INDEX visit_hand_overs_feed ON visit_hand_overs (changed_xid, id);
"""

APPOINTMENTS = """
CREATE TABLE appointments (
    id uuid PRIMARY KEY,
    visit_id uuid NOT NULL REFERENCES visits (id),
    unit_code text NOT NULL,
    kind text NOT NULL,
    asked_by text NOT NULL,
    purpose text,
    place text,
    window_from timestamptz,
    window_to timestamptz,
    reason text,
    at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    content_digest bytea NOT NULL,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    CONSTRAINT appointments_kind_known CHECK (kind IN ('agreed', 'moved', 'refused', 'cancelled')),
    CONSTRAINT appointments_side_known CHECK (asked_by IN ('customer', 'company')),
    CONSTRAINT appointments_window_agreed
        CHECK ((kind IN ('agreed', 'moved')) = (window_from IS NOT NULL AND window_to > window_from))
);
CREATE INDEX appointments_visit_id ON appointments (visit_id, updated_at, id);
CREATE INDEX appointments_feed ON appointments (changed_xid, id);
"""

# What was said stays said.
IMMUTABLE = """
DO $$ BEGIN
    EXECUTE format('REVOKE UPDATE ON visit_hand_overs, appointments FROM %I', current_database() || '_service');
END $$;
"""


def upgrade() -> None:
    """Makes them; what was kept before stays as it was."""
    run_scripts(VISITS, APPOINTMENTS, IMMUTABLE)
