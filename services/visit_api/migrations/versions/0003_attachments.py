"""Attachments of visits."""

from chassis.migrate import run_scripts

revision = "0003"
down_revision = "0002"

ATTACHMENTS = """
CREATE TABLE attachments (
    id uuid PRIMARY KEY,
    visit_id uuid NOT NULL REFERENCES visits (id),
    unit_code text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    size bigint NOT NULL,
    sha256 text NOT NULL,
    state text NOT NULL,
    media_type text,
    declared_by text NOT NULL,
    declared_at timestamptz NOT NULL,
    stored_at timestamptz,
    opened_at timestamptz NOT NULL DEFAULT now(),
    version integer NOT NULL,
    content_digest bytea NOT NULL,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    CONSTRAINT attachments_kind_known CHECK (kind IN ('photo', 'audio', 'document', 'signature')),
    CONSTRAINT attachments_state_known CHECK (state IN ('uploading', 'stored', 'abandoned'))
);
CREATE INDEX attachments_visit_id ON attachments (visit_id, id);
CREATE INDEX attachments_feed ON attachments (changed_xid, id);
CREATE INDEX attachments_uploading ON attachments (opened_at) WHERE state = 'uploading';
"""


def upgrade() -> None:
    """Makes the table; the bytes lie in the store."""
    run_scripts(ATTACHMENTS)
