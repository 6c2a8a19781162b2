"""Texts as data: in force, and as they were published."""

from chassis.migrate import run_scripts

revision = "0009"
down_revision = "0008"

_TEMPLATES = """
CREATE TABLE templates (
    id text PRIMARY KEY,
    event_type text NOT NULL,
    channel text NOT NULL,
    language text NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    code text,
    version integer NOT NULL DEFAULT 1,
    published_by text,
    updated_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint)
);
CREATE INDEX templates_feed ON templates (changed_xid, id);
CREATE TABLE template_versions (
    template_id text NOT NULL REFERENCES templates,
    version integer NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    code text,
    by text,
    at timestamptz NOT NULL,
    PRIMARY KEY (template_id, version)
);
"""


def upgrade() -> None:
    run_scripts(_TEMPLATES)
