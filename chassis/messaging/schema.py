"""The tables of the outbox, the inbox and the dead letters, as a service's first migration makes them.

`outbox` follows Debezium's outbox router: `id`, `aggregatetype` (the topic), `aggregateid` (the key), `type`,
`payload`; the other columns are placed as headers, so a site may run that router instead of our relay.
"""

OUTBOX = """
CREATE TABLE outbox (
    seq bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL,
    aggregatetype text NOT NULL,
    aggregateid text NOT NULL,
    type text NOT NULL,
    source text NOT NULL,
    subject text NOT NULL,
    "time" timestamptz NOT NULL,
    payload bytea,
    traceparent text,
    extra_headers bytea,
    written_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    refused text
);
CREATE INDEX outbox_waiting ON outbox (aggregatetype, seq) WHERE published_at IS NULL;
CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL;
"""

# What an own migration of each service builds while others write: they are few among millions.
OUTBOX_REFUSED = "ON outbox (seq) WHERE refused IS NOT NULL"

INBOX = """
CREATE TABLE inbox (
    event_id uuid PRIMARY KEY,
    seen_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX inbox_seen ON inbox (seen_at);
"""

DEAD_LETTERS = """
CREATE TABLE dead_letters (
    topic text NOT NULL,
    partition integer NOT NULL,
    record_offset bigint NOT NULL,
    key bytea NOT NULL,
    value bytea,
    headers bytea NOT NULL,
    type text,
    reason text NOT NULL,
    attempts integer NOT NULL,
    holds boolean NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz,
    settled_how text,
    digest bytea NOT NULL,
    PRIMARY KEY (topic, partition, record_offset, digest)
);
CREATE INDEX dead_letters_parked ON dead_letters (topic, key) WHERE settled_at IS NULL;
"""

_MAY_DELETE = "DO $$ BEGIN EXECUTE format('GRANT DELETE ON {table} TO %I', current_database() || '_service'); END $$;"


def may_delete(table: str) -> str:
    """The statement by which a migration lets the service's role delete from `table`; without it nothing can."""
    return _MAY_DELETE.format(table=table)


MESSAGING = OUTBOX + INBOX + DEAD_LETTERS + may_delete("outbox") + may_delete("inbox")
