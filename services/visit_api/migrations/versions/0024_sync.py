"""What devices bring: items with both clocks, contradictions, visits that may be one; who a visit was taken from."""

from chassis.migrate import run_scripts

revision = "0024"
down_revision = "0023"

_XID = "changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint"

VISITS = "ALTER TABLE visits ADD COLUMN double_of uuid REFERENCES visits (id);"

DEVICES = f"""
CREATE TABLE sync_devices (
    id uuid PRIMARY KEY,
    device text NOT NULL,
    staff_no text NOT NULL,
    unit_code text NOT NULL,
    first_seen_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    offset_ms bigint NOT NULL,
    wrong_since timestamptz,
    updated_at timestamptz NOT NULL,
    {_XID},
    CONSTRAINT sync_devices_of_somebody UNIQUE (device, staff_no)
);
CREATE INDEX sync_devices_unit_code ON sync_devices (unit_code, id);
CREATE INDEX sync_devices_feed ON sync_devices (changed_xid, id);
"""

ITEMS = f"""
CREATE TABLE sync_items (
    id uuid PRIMARY KEY,
    item_id uuid NOT NULL,
    content_digest bytea NOT NULL,
    kind text NOT NULL,
    visit_id uuid NOT NULL,
    unit_code text NOT NULL,
    device text NOT NULL,
    brought_by text NOT NULL,
    outcome text NOT NULL,
    device_at timestamptz NOT NULL,
    device_sent_at timestamptz NOT NULL,
    offset_ms bigint NOT NULL,
    at timestamptz NOT NULL,
    clock text NOT NULL,
    recorded_at timestamptz NOT NULL,
    {_XID},
    CONSTRAINT sync_items_outcome_known CHECK (outcome IN ('stored', 'same', 'conflict')),
    CONSTRAINT sync_items_clock_known CHECK (clock IN ('as_said', 'corrected', 'untrusted')),
    CONSTRAINT sync_items_brought_once UNIQUE (item_id, content_digest)
);
CREATE INDEX sync_items_visit_id ON sync_items (visit_id, id);
CREATE INDEX sync_items_unit_code ON sync_items (unit_code, id);
CREATE INDEX sync_items_feed ON sync_items (changed_xid, id);
"""

CONFLICTS = f"""
CREATE TABLE sync_conflicts (
    id uuid PRIMARY KEY,
    brought_id uuid NOT NULL REFERENCES sync_items (id),
    item_id uuid NOT NULL,
    kind text NOT NULL,
    visit_id uuid NOT NULL,
    unit_code text NOT NULL,
    device text NOT NULL,
    brought_by text NOT NULL,
    at timestamptz NOT NULL,
    clock text NOT NULL,
    problem text NOT NULL,
    thing text NOT NULL,
    thing_id uuid NOT NULL,
    confidential boolean NOT NULL,
    device_sealed bytea NOT NULL,
    server_sealed bytea,
    recorded_at timestamptz NOT NULL,
    keep text,
    made_id uuid,
    reason text,
    resolved_at timestamptz,
    resolved_by text,
    updated_at timestamptz NOT NULL,
    {_XID},
    CONSTRAINT sync_conflicts_brought_id_key UNIQUE (brought_id),
    CONSTRAINT sync_conflicts_keep_known CHECK (keep IN ('server', 'device')),
    CONSTRAINT sync_conflicts_resolved_whole
        CHECK ((keep IS NULL) = (resolved_at IS NULL) AND (keep IS NULL) = (resolved_by IS NULL))
);
CREATE INDEX sync_conflicts_visit_id ON sync_conflicts (visit_id, id);
CREATE INDEX sync_conflicts_unit_code ON sync_conflicts (unit_code, id);
CREATE INDEX sync_conflicts_feed ON sync_conflicts (changed_xid, id);
"""

SUSPICIONS = f"""
CREATE TABLE sync_suspicions (
    id uuid PRIMARY KEY,
    first_id uuid NOT NULL REFERENCES visits (id),
    second_id uuid NOT NULL REFERENCES visits (id),
    customer_id uuid NOT NULL,
    channel text NOT NULL,
    day date NOT NULL,
    unit_code text NOT NULL,
    state text NOT NULL,
    kept uuid,
    reason text,
    recorded_at timestamptz NOT NULL,
    decided_at timestamptz,
    decided_by text,
    updated_at timestamptz NOT NULL,
    {_XID},
    CONSTRAINT sync_suspicions_state_known CHECK (state IN ('open', 'merged', 'different')),
    CONSTRAINT sync_suspicions_merged_keeps_one CHECK ((state = 'merged') = (kept IS NOT NULL)),
    CONSTRAINT sync_suspicions_once UNIQUE (first_id, second_id)
);
CREATE INDEX sync_suspicions_unit_code ON sync_suspicions (unit_code, id);
CREATE INDEX sync_suspicions_customer_id ON sync_suspicions (customer_id, day);
CREATE INDEX sync_suspicions_feed ON sync_suspicions (changed_xid, id);
"""

LEAVINGS = f"""
CREATE TABLE visit_leavings (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    visit_id uuid NOT NULL REFERENCES visits (id),
    staff_no text NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    {_XID}
);
CREATE INDEX visit_leavings_feed ON visit_leavings (staff_no, changed_xid, id);
"""
# So that whatever takes a visit from its visitors, now or later, is told to their devices.
TRIGGER = """
CREATE FUNCTION visit_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO visit_leavings (visit_id, staff_no)
    SELECT new.id, gone FROM unnest(old.visitor_ids) AS gone WHERE gone <> ALL (new.visitor_ids);
    RETURN NULL;
END
$$;
CREATE TRIGGER visits_left AFTER UPDATE OF visitor_ids ON visits FOR EACH ROW
WHEN (old.visitor_ids IS DISTINCT FROM new.visitor_ids) EXECUTE FUNCTION visit_left();
"""

RIGHTS = """
DO $$
DECLARE service text := current_database() || '_service';
BEGIN
    EXECUTE format('REVOKE UPDATE ON sync_items, sync_conflicts, sync_suspicions, visit_leavings FROM %I', service);
    EXECUTE format('GRANT UPDATE (outcome, changed_xid) ON sync_items TO %I', service);
    EXECUTE format('GRANT UPDATE (device_sealed, server_sealed, keep, made_id, reason, resolved_at, resolved_by, '
                   'updated_at, changed_xid) ON sync_conflicts TO %I', service);
    EXECUTE format('GRANT UPDATE (state, kept, reason, decided_at, decided_by, updated_at, changed_xid) '
                   'ON sync_suspicions TO %I', service);
END
$$;
"""


def upgrade() -> None:
    """Makes the tables, and the trigger that says who a visit was taken from."""
    run_scripts(VISITS, DEVICES, ITEMS, CONFLICTS, SUSPICIONS, LEAVINGS, TRIGGER, RIGHTS)
