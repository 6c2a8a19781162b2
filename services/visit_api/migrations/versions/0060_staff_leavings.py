"""From which units staff went: what somebody saw there once, they may still bring.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0060"
down_revision = "0059"

TABLE = """
CREATE TABLE staff_leavings (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    staff_no text NOT NULL REFERENCES staff (staff_no),
    unit_code text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    CONSTRAINT staff_leavings_once UNIQUE (staff_no, unit_code)
);
DO $$
DECLARE service text := current_database() || '_service';
BEGIN
    EXECUTE format('REVOKE UPDATE ON staff_leavings FROM %I', service);
END
$$;
"""
# However they go: by hand, or by a file.
TRIGGER = """
CREATE FUNCTION staff_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO staff_leavings (staff_no, unit_code) VALUES (old.staff_no, old.unit_code) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER staff_left AFTER UPDATE OF unit_code ON staff FOR EACH ROW
WHEN (old.unit_code IS DISTINCT FROM new.unit_code) EXECUTE FUNCTION staff_left();
"""


def upgrade() -> None:
    """Makes the table, and the trigger that fills it."""
    run_scripts(TABLE, TRIGGER)
