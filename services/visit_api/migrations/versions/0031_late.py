"""What is recorded of a visit after it was archived is noted, and entered as a supplement by itself."""

from chassis.migrate import run_scripts

revision = "0031"
down_revision = "0030"

LATE = """
CREATE TABLE visit_late (
    id uuid PRIMARY KEY,
    visit_id uuid NOT NULL,
    what text NOT NULL,
    brought_by text NOT NULL,
    recorded_at timestamptz NOT NULL,
    changed_xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    entry_id uuid
);
CREATE INDEX visit_late_waiting ON visit_late (id) WHERE entry_id IS NULL;
CREATE INDEX visit_late_visit_id ON visit_late (visit_id, id);
DO $$
DECLARE service text := current_database() || '_service';
BEGIN
    EXECUTE format('REVOKE UPDATE ON visit_late FROM %I', service);
    EXECUTE format('GRANT UPDATE (entry_id, changed_xid) ON visit_late TO %I', service);
END
$$;
"""

# What came before there was this; where somebody asked for the supplement, there is nothing to enter.
BEFORE = """
INSERT INTO visit_late (id, visit_id, what, brought_by, recorded_at)
SELECT gen_random_uuid(), visits.id, its.what, its.brought_by, its.recorded_at
FROM (
    SELECT visit_id, 'steps' AS what, recorded_by AS brought_by, recorded_at FROM steps
    UNION ALL
    SELECT visit_id, 'checklist', answered_by, recorded_at FROM checklist_answers
    UNION ALL
    SELECT visit_id, 'attachments', declared_by, stored_at FROM attachments WHERE state = 'stored'
    UNION ALL
    SELECT visit_id, 'obligations', coalesce(discharged_by, recorded_by), updated_at FROM obligations
    UNION ALL
    SELECT visit_id, 'devices', brought_by, recorded_at FROM sync_items
    UNION ALL
    SELECT visit_id, 'online', recorded_by, recorded_at FROM online_inquiries
    UNION ALL
    SELECT visit_id, 'online', answered_by, updated_at FROM online_inquiries WHERE answered_at IS NOT NULL
) AS its JOIN visits ON visits.id = its.visit_id AND visits.archived_at <= its.recorded_at;
"""

# Last, for it holds `visits` until the end: only what was noted is looked at. No visit is ever gone.
VISITS = """
ALTER TABLE visit_late ADD CONSTRAINT visit_late_visit_id_fkey FOREIGN KEY (visit_id) REFERENCES visits (id);
"""


def upgrade() -> None:
    """Makes the table, and notes what came late so far."""
    run_scripts(LATE, BEFORE, VISITS)
