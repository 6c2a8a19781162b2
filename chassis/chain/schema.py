"""The tables of the chain, and what a migration runs to have a table's rows chained."""

from chassis.messaging.schema import may_delete

_TABLES = """
CREATE TABLE chain (
    top text NOT NULL,
    seq bigint NOT NULL,
    source text NOT NULL,
    row_id uuid NOT NULL,
    form smallint NOT NULL,
    digest bytea NOT NULL,
    link bytea NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (top, seq),
    CONSTRAINT chain_row_once UNIQUE (source, row_id)
);
CREATE TABLE chain_waiting (
    source text NOT NULL,
    row_id uuid NOT NULL,
    PRIMARY KEY (source, row_id)
);
CREATE FUNCTION chain_wait() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO chain_waiting (source, row_id) VALUES (TG_TABLE_NAME, NEW.id);
    RETURN NULL;
END $$;
DO $$ BEGIN EXECUTE format('REVOKE UPDATE ON chain FROM %I', current_database() || '_service'); END $$;
"""

DDL = f"{_TABLES}{may_delete('chain_waiting')}"


def chained(table: str) -> str:
    """What has every row of `table` chained, those that are there already too; its key is a uuid called `id`."""
    return f"""
CREATE TRIGGER {table}_chained AFTER INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION chain_wait();
INSERT INTO chain_waiting (source, row_id) SELECT '{table}', id FROM {table};
"""  # noqa: S608 - a name of ours
