"""The table of data keys, as a service's migration makes it."""

DDL = """
CREATE TABLE data_keys (
    id uuid PRIMARY KEY,
    owner text NOT NULL,
    purpose text NOT NULL,
    master_key text NOT NULL,
    wrapped bytea NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz,
    emptied_at timestamptz,
    CONSTRAINT data_keys_purpose CHECK (purpose IN ('sealing', 'searching'))
);
CREATE UNIQUE INDEX data_keys_current ON data_keys (owner, purpose) WHERE retired_at IS NULL;
DO $$ BEGIN EXECUTE format('REVOKE UPDATE ON data_keys FROM %I', current_database() || '_service'); END $$;
"""
