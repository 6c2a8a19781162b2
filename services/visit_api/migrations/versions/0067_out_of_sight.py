"""What goes out of somebody's sight is told to whoever follows it there, each time that it goes.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0067"
down_revision = "0066"

# One that went from a unit before, and came back, has left it anew.
LEAVING = """
CREATE OR REPLACE FUNCTION customer_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customer_leavings (customer_id, unit_code) VALUES (old.id, old.unit_code)
    ON CONFLICT (customer_id, unit_code) DO UPDATE
    SET recorded_at = now(), changed_xid = pg_current_xact_id()::text::bigint;
    RETURN NULL;
END
$$;
CREATE OR REPLACE FUNCTION staff_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO staff_leavings (staff_no, unit_code) VALUES (old.staff_no, old.unit_code)
    ON CONFLICT (staff_no, unit_code) DO UPDATE
    SET recorded_at = now(), changed_xid = pg_current_xact_id()::text::bigint;
    RETURN NULL;
END
$$;
DO $$
DECLARE service text := current_database() || '_service';
BEGIN
    EXECUTE format('GRANT UPDATE (recorded_at, changed_xid) ON customer_leavings, staff_leavings TO %I', service);
END
$$;
"""
# Whoever saw a unit by way of the one that it stood below sees something else now, too.
MOVING = """
CREATE OR REPLACE FUNCTION unit_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unit_leavings (unit_code, parent_code) VALUES (old.code, old.parent_code) ON CONFLICT DO NOTHING;
    UPDATE units SET moved = nextval('unit_moves') WHERE code = old.parent_code;
    RETURN NULL;
END
$$;
"""


def upgrade() -> None:
    """Renews the functions of triggers that are there, and what they may."""
    run_scripts(LEAVING, MOVING)
