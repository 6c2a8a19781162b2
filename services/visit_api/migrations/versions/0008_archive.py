"""What the archive asks for and why it is missing, classes, legal holds; the post of staff, as it is on record."""

from chassis.migrate import run_scripts

revision = "0008"
down_revision = "0007"

_CHANGED = "recorded_at timestamptz NOT NULL, changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint"

FILED = """
ALTER TABLE archive_entries ADD COLUMN filed_as text, ADD COLUMN keep_until date;
ALTER TABLE staff ADD COLUMN post text;
"""

SAID = f"""
CREATE TABLE archive_gap_reasons (
    id uuid PRIMARY KEY,
    visit_id uuid NOT NULL REFERENCES visits (id),
    unit_code text NOT NULL,
    clause text NOT NULL,
    what text NOT NULL,
    reason text NOT NULL,
    given_by text NOT NULL,
    {_CHANGED}
);
CREATE INDEX archive_gap_reasons_visit_id ON archive_gap_reasons (visit_id, id);
CREATE INDEX archive_gap_reasons_feed ON archive_gap_reasons (changed_xid, id);

CREATE TABLE archive_rules (
    id uuid PRIMARY KEY,
    unit_code text NOT NULL REFERENCES units (code),
    strict boolean NOT NULL,
    effective_from date NOT NULL,
    reason text NOT NULL,
    adopted_by text NOT NULL,
    {_CHANGED}
);
CREATE INDEX archive_rules_unit_code ON archive_rules (unit_code, effective_from, id);
CREATE INDEX archive_rules_feed ON archive_rules (changed_xid, id);

CREATE TABLE archive_holds (
    id uuid PRIMARY KEY,
    visit_id uuid NOT NULL REFERENCES visits (id),
    unit_code text NOT NULL,
    held boolean NOT NULL,
    reason text NOT NULL,
    acted_by text NOT NULL,
    {_CHANGED}
);
CREATE INDEX archive_holds_visit_id ON archive_holds (visit_id, id);
CREATE INDEX archive_holds_feed ON archive_holds (changed_xid, id);
"""

# What was said stays; another word follows it.
IMMUTABLE = """
DO $$ BEGIN
    EXECUTE format('REVOKE UPDATE ON archive_gap_reasons, archive_rules, archive_holds FROM %I',
                   current_database() || '_service');
END $$;
"""


def upgrade() -> None:
    """Adds the columns and makes the tables."""
    run_scripts(FILED, SAID, IMMUTABLE)
