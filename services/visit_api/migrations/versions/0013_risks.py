"""What is heard of customers' appeals, and whom it suggests to be at risk."""

from chassis.migrate import run_scripts

revision = "0013"
down_revision = "0012"

RISKS = """
CREATE TABLE risk_appeals (
    appeal_id uuid PRIMARY KEY,
    customer_id uuid NOT NULL REFERENCES customers (id),
    type text NOT NULL,
    received_at timestamptz NOT NULL,
    is_open boolean NOT NULL,
    outcome text,
    overdue boolean NOT NULL,
    reopened integer NOT NULL,
    dissatisfied integer NOT NULL
);
CREATE INDEX risk_appeals_customer_id ON risk_appeals (customer_id);
CREATE TABLE risk_suggestions (
    id uuid PRIMARY KEY,
    customer_id uuid NOT NULL REFERENCES customers (id),
    state text NOT NULL,
    reasons jsonb NOT NULL,
    suggested_at timestamptz NOT NULL,
    decided_at timestamptz,
    decided_by text,
    note text,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    CONSTRAINT risk_suggestions_state_known CHECK (state IN ('open', 'confirmed', 'dismissed', 'lapsed'))
);
CREATE UNIQUE INDEX risk_suggestions_one_open ON risk_suggestions (customer_id) WHERE state = 'open';
CREATE INDEX risk_suggestions_customer_id ON risk_suggestions (customer_id, id);
CREATE INDEX risk_suggestions_feed ON risk_suggestions (changed_xid, id);
"""


def upgrade() -> None:
    """Makes both; what was told before is not told again, so that appeals count from now on."""
    run_scripts(RISKS)
