"""Files of customers from marketing systems; and by what a customer that one sent is known when it is sent again."""

from chassis.messaging.schema import may_delete
from chassis.migrate import run_scripts

revision = "0018"
down_revision = "0017"

_XID = "changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint"

CUSTOMERS = """
ALTER TABLE customers
    ADD COLUMN source text,
    ADD COLUMN source_no text,
    ADD COLUMN supply jsonb NOT NULL DEFAULT '{}';
CREATE UNIQUE INDEX customers_of_source ON customers (source, source_no) WHERE source IS NOT NULL;
"""

IMPORTS = f"""
CREATE TABLE imports (
    id uuid PRIMARY KEY,
    unit_code text NOT NULL,
    source text NOT NULL,
    kind text NOT NULL,
    layout jsonb NOT NULL,
    size bigint NOT NULL,
    sha256 text NOT NULL,
    state text NOT NULL,
    position bigint NOT NULL,
    next_line integer NOT NULL,
    read integer NOT NULL,
    stored integer NOT NULL,
    same integer NOT NULL,
    bad integer NOT NULL,
    received_at timestamptz NOT NULL,
    received_by text NOT NULL,
    ended_at timestamptz,
    updated_at timestamptz NOT NULL,
    {_XID},
    CONSTRAINT imports_state_known CHECK (state IN ('waiting', 'done', 'failed'))
);
CREATE INDEX imports_waiting ON imports (id) WHERE state = 'waiting';
CREATE INDEX imports_unit_code ON imports (unit_code);
CREATE INDEX imports_feed ON imports (changed_xid, id);

CREATE TABLE import_faults (
    id uuid PRIMARY KEY,
    import_id uuid NOT NULL REFERENCES imports (id),
    line integer NOT NULL,
    field text NOT NULL,
    reason text NOT NULL,
    recorded_at timestamptz NOT NULL,
    {_XID}
);
CREATE UNIQUE INDEX import_faults_line ON import_faults (import_id, line);
CREATE INDEX import_faults_feed ON import_faults (changed_xid, id);

CREATE TABLE import_numbers (
    import_id uuid NOT NULL REFERENCES imports (id),
    customer_no text NOT NULL,
    PRIMARY KEY (import_id, customer_no)
);
"""


def upgrade() -> None:
    """Makes the tables, and the columns of customers that say whence they come."""
    run_scripts(CUSTOMERS, IMPORTS, may_delete("import_numbers"))
