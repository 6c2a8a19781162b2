"""What visitors answer for after a visit."""

from chassis.migrate import run_scripts

revision = "0002"
down_revision = "0001"

CHECKLISTS = """
CREATE TABLE checklist_answers (
    id uuid PRIMARY KEY,
    visit_id uuid NOT NULL REFERENCES visits (id),
    unit_code text NOT NULL,
    item text NOT NULL,
    answer text NOT NULL,
    note text,
    answered_by text NOT NULL,
    answered_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    CONSTRAINT checklist_answers_answer_known CHECK (answer IN ('yes', 'no', 'not_applicable')),
    CONSTRAINT checklist_answers_no_has_reason CHECK (answer <> 'no' OR note IS NOT NULL)
);
CREATE INDEX checklist_answers_visit_id ON checklist_answers (visit_id, answered_at, id);
CREATE INDEX checklist_answers_feed ON checklist_answers (changed_xid, id);
"""

# What was answered stays; another answer follows it.
IMMUTABLE = """
DO $$ BEGIN EXECUTE format('REVOKE UPDATE ON checklist_answers FROM %I', current_database() || '_service'); END $$;
"""


def upgrade() -> None:
    """Makes the table."""
    run_scripts(CHECKLISTS, IMMUTABLE)
