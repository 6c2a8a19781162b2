"""The first tables."""

from chassis.messaging.schema import MESSAGING, may_delete
from chassis.migrate import run_scripts
from chassis.web.idempotency import DDL as IDEMPOTENCY

revision = "0001"
down_revision = None

_DIRECTORY = """
CREATE TABLE units (
    id uuid PRIMARY KEY,
    code text NOT NULL,
    parent_code text,
    version bigint NOT NULL
);
CREATE INDEX units_code_idx ON units (code);
CREATE INDEX units_parent_code_idx ON units (parent_code);
CREATE TABLE staff (
    id uuid PRIMARY KEY,
    staff_no text NOT NULL,
    unit_code text NOT NULL,
    roles text[] NOT NULL,
    active boolean NOT NULL,
    version bigint NOT NULL
);
CREATE INDEX staff_staff_no_idx ON staff (staff_no);
CREATE INDEX staff_unit_code_idx ON staff (unit_code);
"""

_SUBJECTS = """
CREATE SEQUENCE hearing AS bigint;
CREATE TABLE subjects (
    id uuid PRIMARY KEY,
    number text,
    appeal_type text,
    round integer NOT NULL DEFAULT 1,
    ended text
);
CREATE TABLE stops (
    subject_id uuid NOT NULL,
    round integer NOT NULL,
    milestone text NOT NULL,
    certain boolean NOT NULL,
    at timestamptz NOT NULL,
    heard bigint NOT NULL DEFAULT nextval('hearing'),
    PRIMARY KEY (subject_id, round, milestone, certain)
);
"""

_ROUTES = """
CREATE TABLE routes (
    id text PRIMARY KEY,
    event_type text NOT NULL,
    audience text NOT NULL,
    channels text[] NOT NULL,
    version integer NOT NULL DEFAULT 1,
    changed_by text,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)
);
CREATE UNIQUE INDEX routes_event_type_audience ON routes (event_type, audience);
CREATE INDEX routes_feed ON routes (changed_xid, id);
"""

_MAILBOX = """
CREATE TABLE mailbox (
    send_id uuid PRIMARY KEY,
    recipient text NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    accepted_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)
);
CREATE INDEX mailbox_recipient_send_id ON mailbox (recipient, send_id);
CREATE INDEX mailbox_feed ON mailbox (changed_xid, send_id);
"""

# plan_at, heard_at, next_try_at and leased_until are in real time.
_DELIVERIES = """
CREATE TABLE notices (
    event_id uuid PRIMARY KEY,
    heard bigint NOT NULL DEFAULT nextval('hearing'),
    heard_at timestamptz NOT NULL DEFAULT now(),
    plan_at timestamptz DEFAULT now(),
    traceparent text,
    event_type text NOT NULL,
    step text NOT NULL,
    audience text[] NOT NULL,
    late boolean NOT NULL,
    subject_kind text NOT NULL,
    subject_id uuid NOT NULL,
    visit_id uuid,
    unit_code text NOT NULL,
    handling_unit_code text NOT NULL,
    milestone text NOT NULL,
    round integer NOT NULL,
    due_at timestamptz NOT NULL,
    at timestamptz NOT NULL,
    owner text,
    first_contact text
);
CREATE INDEX notices_to_plan ON notices (plan_at) WHERE plan_at IS NOT NULL;
CREATE INDEX notices_subject_id_idx ON notices (subject_id);
CREATE TABLE sends (
    id uuid PRIMARY KEY,
    recipient text NOT NULL,
    channel text NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    state text NOT NULL CONSTRAINT sends_state_check
        CHECK (state IN ('sending', 'sent', 'delivered', 'failed', 'unknown')),
    attempts integer NOT NULL,
    leased_until timestamptz,
    checked_at timestamptz NOT NULL,
    reference text,
    error text
);
CREATE INDEX sends_leased ON sends (leased_until) WHERE state = 'sending';
CREATE TABLE deliveries (
    id uuid PRIMARY KEY,
    event_id uuid NOT NULL REFERENCES notices,
    recipient text NOT NULL,
    channel text NOT NULL,
    audience text NOT NULL,
    audience_unit text,
    state text NOT NULL CONSTRAINT deliveries_state_check CHECK (state IN
        ('queued', 'deferred', 'sending', 'sent', 'delivered', 'failed', 'unknown', 'cancelled', 'dead')),
    not_before timestamptz NOT NULL,
    next_try_at timestamptz,
    sent_at timestamptz,
    send_id uuid REFERENCES sends,
    attempts integer NOT NULL DEFAULT 0,
    tries integer NOT NULL DEFAULT 0,
    why text,
    error text,
    planned_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)
);
CREATE UNIQUE INDEX deliveries_event_id_recipient_channel ON deliveries (event_id, recipient, channel);
CREATE INDEX deliveries_due ON deliveries (channel, not_before, recipient)
    WHERE state IN ('queued', 'deferred', 'failed');
CREATE INDEX deliveries_unsettled ON deliveries (state) WHERE state NOT IN ('sent', 'delivered', 'cancelled');
CREATE INDEX deliveries_send_id_idx ON deliveries (send_id);
CREATE INDEX deliveries_feed ON deliveries (changed_xid, id);
"""


def upgrade() -> None:
    run_scripts(MESSAGING, IDEMPOTENCY, _DIRECTORY, _SUBJECTS, _ROUTES, _MAILBOX, _DELIVERIES)
    # What visit_api removed is removed here.
    run_scripts(may_delete("units"), may_delete("staff"))
