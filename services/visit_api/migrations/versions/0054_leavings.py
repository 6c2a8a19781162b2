"""From which units customers went, and from below which ones units did: what a visitor saw once.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0054"
down_revision = "0053"

TABLES = """
CREATE TABLE customer_leavings (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id uuid NOT NULL REFERENCES customers (id),
    unit_code text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    CONSTRAINT customer_leavings_once UNIQUE (customer_id, unit_code)
);
CREATE TABLE unit_leavings (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    unit_code text NOT NULL REFERENCES units (code),
    parent_code text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    CONSTRAINT unit_leavings_once UNIQUE (unit_code, parent_code)
);
DO $$
DECLARE service text := current_database() || '_service';
BEGIN
    EXECUTE format('REVOKE UPDATE ON customer_leavings, unit_leavings FROM %I', service);
END
$$;
"""
# However they go: by hand, by a file, or because units merge.
TRIGGERS = """
CREATE FUNCTION customer_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO customer_leavings (customer_id, unit_code) VALUES (old.id, old.unit_code) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER customers_left AFTER UPDATE OF unit_code ON customers FOR EACH ROW
WHEN (old.unit_code IS DISTINCT FROM new.unit_code) EXECUTE FUNCTION customer_left();
CREATE FUNCTION unit_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO unit_leavings (unit_code, parent_code) VALUES (old.code, old.parent_code) ON CONFLICT DO NOTHING;
    RETURN NULL;
END
$$;
CREATE TRIGGER units_left AFTER UPDATE OF parent_code ON units FOR EACH ROW
WHEN (old.parent_code IS NOT NULL AND old.parent_code IS DISTINCT FROM new.parent_code)
EXECUTE FUNCTION unit_left();
"""


def upgrade() -> None:
    """Makes the tables, and the triggers that fill them."""
    run_scripts(TABLES, TRIGGERS)
