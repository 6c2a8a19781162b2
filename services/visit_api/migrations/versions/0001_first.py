"""The first tables: directory, customers, visits, appeals, archive."""

from chassis.messaging.schema import MESSAGING
from chassis.migrate import run_scripts
from chassis.web.idempotency import DDL as IDEMPOTENCY

revision = "0001"
down_revision = None

# The transaction that wrote a row, by which a feed stops before the oldest one still running.
_CHANGED = "updated_at timestamptz NOT NULL, changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint"

DIRECTORY = f"""
CREATE TABLE units (
    id uuid PRIMARY KEY,
    code text NOT NULL UNIQUE,
    name text NOT NULL,
    parent_code text REFERENCES units (code),
    version integer NOT NULL,
    content_digest bytea NOT NULL,
    {_CHANGED},
    CONSTRAINT units_not_their_own_parent CHECK (parent_code <> code)
);
CREATE INDEX units_parent_code ON units (parent_code);
CREATE INDEX units_feed ON units (changed_xid, id);

CREATE TABLE staff (
    id uuid PRIMARY KEY,
    staff_no text NOT NULL UNIQUE,
    name text NOT NULL,
    unit_code text NOT NULL REFERENCES units (code),
    roles text[] NOT NULL,
    phone text,
    email text,
    active boolean NOT NULL,
    version integer NOT NULL,
    content_digest bytea NOT NULL,
    {_CHANGED}
);
CREATE INDEX staff_unit_code ON staff (unit_code);
CREATE INDEX staff_feed ON staff (changed_xid, id);
"""

CUSTOMERS = f"""
CREATE TABLE customers (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL,
    unit_code text NOT NULL REFERENCES units (code),
    customer_no text,
    accounts text[] NOT NULL,
    phone text,
    importance text,
    removed_at timestamptz,
    version integer NOT NULL,
    content_digest bytea NOT NULL,
    {_CHANGED},
    CONSTRAINT customers_kind_known CHECK (kind IN (
        'government', 'key_project',
        'partner.energy_body', 'partner.source_grid_load_storage', 'partner.academia',
        'other.important', 'other.service_risk', 'other.special_group'))
);
CREATE INDEX customers_unit_code ON customers (unit_code);
CREATE INDEX customers_customer_no ON customers (customer_no);
CREATE INDEX customers_feed ON customers (changed_xid, id);
"""

VISITS = f"""
CREATE TABLE visits (
    id uuid PRIMARY KEY,
    customer_id uuid NOT NULL REFERENCES customers (id),
    unit_code text NOT NULL REFERENCES units (code),
    channel text NOT NULL,
    direction text NOT NULL,
    form text NOT NULL,
    state text NOT NULL,
    scheduled_at timestamptz NOT NULL,
    visitor_ids text[] NOT NULL,
    preparation jsonb NOT NULL,
    arrived_at timestamptz,
    started_at timestamptz,
    completed_at timestamptz,
    cancelled_at timestamptz,
    missed_at timestamptz,
    archived_at timestamptz,
    reason text,
    version integer NOT NULL,
    content_digest bytea NOT NULL,
    {_CHANGED},
    CONSTRAINT visits_channel_known CHECK (channel IN ('on_site', 'phone', 'online')),
    CONSTRAINT visits_direction_known CHECK (direction IN ('outbound', 'inbound')),
    CONSTRAINT visits_form_known CHECK (form IN ('ordinary', 'directed', 'special')),
    CONSTRAINT visits_state_known
        CHECK (state IN ('planned', 'in_progress', 'completed', 'archived', 'cancelled', 'missed'))
);
CREATE INDEX visits_scheduled_at ON visits (scheduled_at, id);
CREATE INDEX visits_unit_code ON visits (unit_code, scheduled_at);
CREATE INDEX visits_customer_id ON visits (customer_id);
CREATE INDEX visits_feed ON visits (changed_xid, id);
"""

APPEALS = f"""
CREATE SEQUENCE appeal_numbers;
CREATE TABLE appeals (
    id uuid PRIMARY KEY,
    appeal_no text NOT NULL UNIQUE DEFAULT concat('VA', to_char(nextval('appeal_numbers'), 'FM0000000000')),
    visit_id uuid NOT NULL REFERENCES visits (id),
    unit_code text NOT NULL,
    type text NOT NULL,
    summary text NOT NULL,
    reason_not_answered text,
    received_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    raised_by text NOT NULL,
    confidential boolean NOT NULL,
    anonymous boolean NOT NULL,
    state text NOT NULL DEFAULT 'open',
    round integer NOT NULL DEFAULT 1,
    outcome text,
    content_digest bytea NOT NULL,
    {_CHANGED},
    CONSTRAINT appeals_type_known CHECK (type IN ('complaint', 'report', 'opinion', 'suggestion', 'consultation')),
    CONSTRAINT appeals_state_known CHECK (state IN ('open', 'closed')),
    CONSTRAINT appeals_consultation_has_reason CHECK (type <> 'consultation' OR reason_not_answered IS NOT NULL)
);
CREATE INDEX appeals_visit_id ON appeals (visit_id, id);
CREATE INDEX appeals_feed ON appeals (changed_xid, id);
"""

ARCHIVE = f"""
CREATE TABLE archive_entries (
    id uuid PRIMARY KEY,
    visit_id uuid NOT NULL REFERENCES visits (id),
    unit_code text NOT NULL,
    kind text NOT NULL,
    contents jsonb NOT NULL,
    record jsonb NOT NULL,
    entered_by text,
    {_CHANGED},
    CONSTRAINT archive_entries_kind_known CHECK (kind IN ('record', 'supplement'))
);
CREATE UNIQUE INDEX archive_entries_one_record ON archive_entries (visit_id) WHERE kind = 'record';
CREATE INDEX archive_entries_visit_id ON archive_entries (visit_id, id);
CREATE INDEX archive_entries_feed ON archive_entries (changed_xid, id);
"""

# The service can neither rewrite what a customer said nor what was archived.
IMMUTABLE = """
DO $$
DECLARE service text := current_database() || '_service';
BEGIN
    EXECUTE format('REVOKE UPDATE ON appeals, archive_entries FROM %I', service);
    EXECUTE format('GRANT UPDATE (state, round, outcome, updated_at, changed_xid) ON appeals TO %I', service);
END
$$;
"""


def upgrade() -> None:
    """Makes everything; nothing can be deleted by the service's role but what its chassis keeps for a while."""
    run_scripts(MESSAGING, IDEMPOTENCY, DIRECTORY, CUSTOMERS, VISITS, APPEALS, ARCHIVE, IMMUTABLE)
