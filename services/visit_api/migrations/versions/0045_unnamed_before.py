"""What was recorded before anonymous appeals were hidden names them no more; done again, it finds nothing.

It only expands: no column changes.
"""

from chassis.migrate import run_scripts

revision = "0045"
down_revision = "0044"

STEPS = """
WITH concerned AS MATERIALIZED (
    SELECT id FROM steps
    WHERE kind = 'appeals' AND visit_id IN (SELECT visit_id FROM appeals WHERE confidential OR anonymous)
)
UPDATE steps AS its
SET content = jsonb_set(content, '{appeal_ids}', not_hidden(content -> 'appeal_ids')),
    updated_at = now(), changed_xid = pg_current_xact_id()::text::bigint
FROM concerned WHERE its.id = concerned.id AND content -> 'appeal_ids' <> not_hidden(content -> 'appeal_ids');
"""
# As it would be recorded by now: the appeal is named, and not on which visit it was raised.
MEASURES = """
UPDATE measures
SET visit_id = NULL, version = version + 1, updated_at = now(), changed_xid = pg_current_xact_id()::text::bigint
WHERE visit_id IS NOT NULL AND appeal_id IN (SELECT id FROM appeals WHERE confidential OR anonymous);
"""
# What the device said is sealed, so nobody can see here whether that is anonymous: where an appeal is contradicted it
# is taken to be.
CONFLICTS = """
UPDATE sync_conflicts
SET confidential = true, updated_at = now(), changed_xid = pg_current_xact_id()::text::bigint
WHERE kind = 'appeal' AND NOT confidential;
"""


def upgrade() -> None:
    """Looks at what names appeals once; there are few hidden ones."""
    run_scripts(STEPS, MEASURES, CONFLICTS)
