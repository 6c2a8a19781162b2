"""What each system says of a customer of whom several speak."""

from chassis.migrate import run_scripts

revision = "0023"
down_revision = "0022"

SAID = """
CREATE TABLE customer_said (
    id uuid PRIMARY KEY,
    customer_id uuid NOT NULL REFERENCES customers (id),
    source text NOT NULL,
    source_no text NOT NULL,
    said_sealed bytea NOT NULL,
    digest bytea NOT NULL,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint
);
CREATE UNIQUE INDEX customer_said_source ON customer_said (source, source_no);
CREATE UNIQUE INDEX customer_said_customer_id ON customer_said (customer_id, source);
"""


def upgrade() -> None:
    """Makes the table."""
    run_scripts(SAID)
