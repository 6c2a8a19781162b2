"""The absences recorded until now are told once, to whoever could not hear of them before."""

from chassis.migrate import run_scripts

revision = "0014"
down_revision = "0013"

TELL = """
INSERT INTO outbox (id, aggregatetype, aggregateid, type, source, subject, time, payload)
SELECT gen_random_uuid(), 'appeal.events', id::text, 'absence.changed.v1', '/appeal_tracker', id::text, updated_at,
    convert_to(jsonb_build_object('absence_id', id, 'staff_no', staff_no, 'unit_code', unit_code, 'since', since,
        'until', until, 'substitute', substitute, 'at', updated_at, 'by', recorded_by)::text, 'UTF8')
FROM absences;
"""


def upgrade() -> None:
    run_scripts("SET LOCAL TIME ZONE 'UTC';", TELL)
