"""What is particular to each kind of customer, its contacts and its importance; what is personal of them sealed."""

from chassis.migrate import run_scripts

revision = "0011"
down_revision = "0010"

_XID = "changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint"

CUSTOMERS = """
ALTER TABLE customers
    ADD COLUMN phone_sealed bytea,
    ADD COLUMN phone_index bytea,
    ADD COLUMN particulars jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN particulars_sealed bytea,
    ADD COLUMN marks text[] NOT NULL DEFAULT '{}';
CREATE INDEX customers_phone_index ON customers (phone_index);
CREATE INDEX customers_plain_phone ON customers (id) WHERE phone IS NOT NULL;
"""

CONTACTS = f"""
CREATE TABLE contacts (
    id uuid PRIMARY KEY,
    customer_id uuid NOT NULL REFERENCES customers (id),
    role text NOT NULL,
    person_sealed bytea,
    phone_index bytea,
    consent text NOT NULL,
    channels text[] NOT NULL,
    consented_at timestamptz,
    preferred boolean NOT NULL,
    removed_at timestamptz,
    version integer NOT NULL,
    content_digest bytea NOT NULL,
    updated_at timestamptz NOT NULL,
    {_XID},
    CONSTRAINT contacts_role_known
        CHECK (role IN ('principal', 'power_manager', 'duty', 'finance', 'guardian', 'self', 'other')),
    CONSTRAINT contacts_consent_known CHECK (consent IN ('not_asked', 'given', 'refused'))
);
CREATE INDEX contacts_customer_id ON contacts (customer_id, id);
CREATE INDEX contacts_phone_index ON contacts (phone_index);
CREATE INDEX contacts_feed ON contacts (changed_xid, id);
"""

IMPORTANCE = f"""
CREATE TABLE importance_documents (
    id uuid PRIMARY KEY,
    unit_code text NOT NULL REFERENCES units (code),
    government_body text NOT NULL,
    document_no text NOT NULL,
    determined_on date NOT NULL,
    imported_by text NOT NULL,
    recorded_at timestamptz NOT NULL,
    content_digest bytea NOT NULL
);
CREATE TABLE importance_determinations (
    id uuid PRIMARY KEY,
    document_id uuid NOT NULL REFERENCES importance_documents (id),
    customer_id uuid NOT NULL REFERENCES customers (id),
    level text NOT NULL,
    government_body text NOT NULL,
    document_no text NOT NULL,
    determined_on date NOT NULL,
    imported_by text NOT NULL,
    recorded_at timestamptz NOT NULL,
    {_XID},
    CONSTRAINT importance_level_known CHECK (level IN ('special', 'first', 'second', 'none'))
);
CREATE INDEX importance_determinations_customer_id ON importance_determinations (customer_id, id);
CREATE INDEX importance_determinations_document_id ON importance_determinations (document_id, id);
CREATE INDEX importance_determinations_feed ON importance_determinations (changed_xid, id);
DO $$ BEGIN EXECUTE format('REVOKE UPDATE ON importance_documents, importance_determinations FROM %I',
                           current_database() || '_service'); END $$;
"""


def upgrade() -> None:
    """Adds all of it; numbers that are there in the clear are sealed by the running service, some at a time."""
    run_scripts(CUSTOMERS, CONTACTS, IMPORTANCE)
