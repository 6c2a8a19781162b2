"""Which unit merged into which; and which were put below another, so that devices begin anew.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0034"
down_revision = "0033"

UNITS = """
ALTER TABLE units ADD COLUMN merged_into text REFERENCES units (code);
ALTER TABLE units ADD COLUMN moved bigint;
ALTER TABLE units ADD CONSTRAINT units_not_merged_into_themselves CHECK (merged_into <> code);
"""
# Whatever puts a unit below another, now or later, or closes it (one that merges into what it stands below stays where
# it is). Whoever does holds the tree, so that the numbers come in order.
TRIGGER = """
CREATE SEQUENCE unit_moves;
CREATE FUNCTION unit_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    new.moved := nextval('unit_moves');
    RETURN new;
END
$$;
CREATE TRIGGER units_moved BEFORE UPDATE OF parent_code, merged_into ON units FOR EACH ROW
WHEN ((old.parent_code, old.merged_into) IS DISTINCT FROM (new.parent_code, new.merged_into))
EXECUTE FUNCTION unit_moved();
"""
MERGERS = """
CREATE TABLE unit_mergers (
    id uuid PRIMARY KEY,
    unit_code text NOT NULL REFERENCES units (code),
    into_code text NOT NULL REFERENCES units (code),
    reason text NOT NULL,
    recorded_at timestamptz NOT NULL,
    recorded_by text NOT NULL,
    emptied_xid bigint,
    done_at timestamptz,
    content_digest bytea NOT NULL,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    CONSTRAINT unit_mergers_unit_code_key UNIQUE (unit_code)
);
CREATE INDEX unit_mergers_into_code ON unit_mergers (into_code, id);
CREATE INDEX unit_mergers_undone ON unit_mergers (id) WHERE done_at IS NULL;
CREATE INDEX unit_mergers_feed ON unit_mergers (changed_xid, id);
DO $$
DECLARE service text := current_database() || '_service';
BEGIN
    EXECUTE format('REVOKE UPDATE ON unit_mergers FROM %I', service);
    EXECUTE format('GRANT UPDATE (emptied_xid, done_at, updated_at, changed_xid) ON unit_mergers TO %I', service);
    -- What of these is open becomes another unit's; their words stay what they are.
    EXECUTE format('GRANT UPDATE (unit_code) ON measures, materials, policy_posts, online_inquiries TO %I', service);
END
$$;
"""


def upgrade() -> None:
    """Makes the table, and what is known of each unit besides."""
    run_scripts(UNITS, TRIGGER, MERGERS)
