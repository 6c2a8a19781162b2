"""Routes with conditions, of units, with fallback; groups, duty rosters and substitutes; whose subjects are; acts that
are told of; quiet hours as data."""

from chassis.migrate import run_scripts

revision = "0008"
down_revision = "0007"

_ROUTES = """
DROP INDEX routes_event_type_audience;
ALTER TABLE routes ADD COLUMN unit_code text;
ALTER TABLE routes ADD COLUMN condition jsonb NOT NULL DEFAULT '{}';
ALTER TABLE routes ADD COLUMN fallback text[] NOT NULL DEFAULT '{}';
ALTER TABLE routes ADD COLUMN fallback_after integer NOT NULL DEFAULT 600;
ALTER TABLE routes ADD COLUMN passes text;
ALTER TABLE routes ADD COLUMN reason text;
ALTER TABLE routes ADD COLUMN working_days boolean NOT NULL DEFAULT false;
ALTER TABLE routes ADD COLUMN active boolean NOT NULL DEFAULT true;
CREATE INDEX routes_of_a_type ON routes (event_type) WHERE active;
CREATE TABLE route_versions (
    route_id text NOT NULL REFERENCES routes,
    version integer NOT NULL,
    body jsonb NOT NULL,
    by text,
    at timestamptz NOT NULL,
    PRIMARY KEY (route_id, version)
);
"""

_PEOPLE = """
CREATE TABLE groups (
    id uuid PRIMARY KEY,
    unit_code text NOT NULL,
    name text NOT NULL,
    members text[] NOT NULL,
    active boolean NOT NULL,
    revision integer NOT NULL,
    changed_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)
);
CREATE INDEX groups_unit_code_idx ON groups (unit_code);
CREATE INDEX groups_feed ON groups (changed_xid, id);
CREATE TABLE duties (
    id uuid PRIMARY KEY,
    unit_code text NOT NULL,
    role text NOT NULL,
    staff_no text NOT NULL,
    rank integer NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    active boolean NOT NULL,
    revision integer NOT NULL,
    changed_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)
);
CREATE INDEX duties_of_a_unit ON duties (unit_code, ends_at) WHERE active;
CREATE INDEX duties_of_one ON duties (staff_no, ends_at) WHERE active;
CREATE INDEX duties_feed ON duties (changed_xid, id);
CREATE TABLE substitutes (
    id uuid PRIMARY KEY,
    unit_code text NOT NULL,
    staff_no text NOT NULL,
    substitute text NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    active boolean NOT NULL,
    revision integer NOT NULL,
    changed_by text NOT NULL,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)
);
CREATE INDEX substitutes_of_one ON substitutes (staff_no, ends_at) WHERE active;
CREATE INDEX substitutes_feed ON substitutes (changed_xid, id);
CREATE TABLE parties (
    subject_id uuid PRIMARY KEY,
    handling_unit_code text,
    owner text,
    owned_said timestamptz,
    first_contact text,
    customer_id uuid,
    withheld boolean NOT NULL DEFAULT false,
    policy text,
    source text
);
"""

_DELIVERIES = """
ALTER TABLE notices ALTER COLUMN step DROP NOT NULL, ALTER COLUMN milestone DROP NOT NULL,
    ALTER COLUMN due_at DROP NOT NULL, ADD COLUMN by text;
ALTER TABLE deliveries ADD COLUMN route text;
ALTER TABLE deliveries ADD COLUMN passes text;
ALTER TABLE deliveries ADD COLUMN working_days boolean NOT NULL DEFAULT false;
ALTER TABLE deliveries ADD COLUMN fallback text[] NOT NULL DEFAULT '{}';
ALTER TABLE deliveries ADD COLUMN fallback_after integer NOT NULL DEFAULT 600;
ALTER TABLE deliveries ADD COLUMN audience_role text;
ALTER TABLE deliveries ADD COLUMN on_duty boolean NOT NULL DEFAULT false;
ALTER TABLE deliveries ADD COLUMN instead_of text;
CREATE INDEX deliveries_falling_back ON deliveries (not_before)
    WHERE fallback <> '{}' AND state IN ('dead', 'failed', 'unknown');
CREATE TABLE quiet_hours (
    id text PRIMARY KEY,
    recipient_kind text NOT NULL,
    channel text NOT NULL,
    begin text NOT NULL,
    until text NOT NULL,
    revision integer NOT NULL DEFAULT 1,
    changed_by text,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)
);
CREATE INDEX quiet_hours_feed ON quiet_hours (changed_xid, id);
"""


def upgrade() -> None:
    run_scripts(_ROUTES, _PEOPLE, _DELIVERIES)
