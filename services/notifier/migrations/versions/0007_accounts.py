"""Accounts by which channels send, what they may send, and what providers say later of what they took."""

from chassis.messaging.schema import may_delete
from chassis.migrate import run_scripts

revision = "0007"
down_revision = "0006"

# filled_at and paused_until are real time.
_ACCOUNTS = """
CREATE TABLE accounts (
    id uuid PRIMARY KEY,
    channel text NOT NULL,
    provider text NOT NULL,
    unit_code text NOT NULL,
    name text NOT NULL,
    settings jsonb NOT NULL,
    secrets bytea NOT NULL,
    callback_secret bytea,
    limits jsonb,
    active boolean NOT NULL,
    version integer NOT NULL DEFAULT 1,
    paused_until timestamptz,
    added_by text NOT NULL,
    added_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)
);
CREATE UNIQUE INDEX accounts_active ON accounts (channel, unit_code) WHERE active;
CREATE INDEX accounts_feed ON accounts (changed_xid, id);
CREATE TABLE buckets (
    name text PRIMARY KEY,
    tokens double precision NOT NULL,
    filled_at timestamptz NOT NULL
);
ALTER TABLE sends ADD COLUMN account_id uuid;
CREATE INDEX sends_reference ON sends (account_id, reference) WHERE account_id IS NOT NULL AND reference IS NOT NULL;
CREATE TABLE early_reports (
    account_id uuid NOT NULL,
    reference text NOT NULL,
    delivered boolean NOT NULL,
    reason text,
    heard_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, reference)
);
"""


def upgrade() -> None:
    run_scripts(_ACCOUNTS, may_delete("buckets"), may_delete("early_reports"))
