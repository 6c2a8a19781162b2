"""When customers were contacted and answered, when an appeal was closed, and which of its deadlines were kept.

It only expands: the code of the revision before runs on this table while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0057"
down_revision = "0056"

HANDLED = """
ALTER TABLE appeals
    ADD COLUMN contacted_at timestamptz,
    ADD COLUMN answered_at timestamptz,
    ADD COLUMN closed_at timestamptz,
    ADD COLUMN deadlines jsonb NOT NULL DEFAULT '{}';
DO $$
BEGIN
    EXECUTE format('GRANT UPDATE (contacted_at, answered_at, closed_at, deadlines) ON appeals TO %I',
                   current_database() || '_service');
END
$$;
"""


def upgrade() -> None:
    """Makes room for it; what was told before is not asked for again."""
    run_scripts(HANDLED)
