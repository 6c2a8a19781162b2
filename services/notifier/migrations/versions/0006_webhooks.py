"""Webhooks for integrators: endpoints, the messages to each, every attempt at one."""

from chassis.messaging.schema import may_delete
from chassis.migrate import run_scripts
from chassis.vault import DDL as DATA_KEYS

revision = "0006"
down_revision = "0005"

# due_at, made_at, old_secret_until, failing_since and an attempt's time are real.
_WEBHOOKS = """
CREATE TABLE webhook_endpoints (
    id uuid PRIMARY KEY,
    unit_code text NOT NULL,
    url text NOT NULL,
    description text,
    event_types text[] NOT NULL,
    ordered boolean NOT NULL,
    state text NOT NULL CONSTRAINT webhook_endpoints_state_check CHECK (state IN ('active', 'disabled', 'removed')),
    why text,
    secret bytea NOT NULL,
    old_secret bytea,
    old_secret_until timestamptz,
    failing_since timestamptz,
    added_by text NOT NULL,
    added_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)
);
CREATE INDEX webhook_endpoints_unit_code_idx ON webhook_endpoints (unit_code);
CREATE INDEX webhook_endpoints_feed ON webhook_endpoints (changed_xid, id);
CREATE TABLE webhook_messages (
    id uuid PRIMARY KEY,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    endpoint_id uuid NOT NULL REFERENCES webhook_endpoints,
    event_id uuid NOT NULL,
    event_type text NOT NULL,
    payload text NOT NULL,
    state text NOT NULL CONSTRAINT webhook_messages_state_check
        CHECK (state IN ('queued', 'sending', 'delivered', 'dead', 'skipped')),
    attempts integer NOT NULL DEFAULT 0,
    tries integer NOT NULL DEFAULT 0,
    due_at timestamptz NOT NULL DEFAULT now(),
    made_at timestamptz NOT NULL DEFAULT now(),
    heard_at timestamptz NOT NULL,
    error text,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)
);
CREATE UNIQUE INDEX webhook_messages_once ON webhook_messages (endpoint_id, event_id);
CREATE INDEX webhook_messages_due ON webhook_messages (endpoint_id, due_at) WHERE state IN ('queued', 'sending');
CREATE INDEX webhook_messages_in_order ON webhook_messages (endpoint_id, seq) WHERE state IN ('queued', 'sending');
CREATE INDEX webhook_messages_made_at_idx ON webhook_messages (made_at);
CREATE INDEX webhook_messages_feed ON webhook_messages (changed_xid, id);
CREATE TABLE webhook_attempts (
    id uuid PRIMARY KEY,
    message_id uuid NOT NULL REFERENCES webhook_messages ON DELETE CASCADE,
    at timestamptz NOT NULL,
    milliseconds integer NOT NULL,
    status integer,
    error text,
    request_head text NOT NULL,
    response_head text,
    response_body text
);
CREATE INDEX webhook_attempts_message_id_at_idx ON webhook_attempts (message_id, at);
"""


def upgrade() -> None:
    run_scripts(DATA_KEYS, _WEBHOOKS)
    # A log is kept for a while: what was announced stays on the topics, and who asks for it here has had time to.
    run_scripts(may_delete("webhook_messages"), may_delete("webhook_attempts"))
