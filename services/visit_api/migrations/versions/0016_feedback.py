"""What customers said when they were called back about an appeal, and the type that it is of now."""

from chassis.migrate import run_scripts

revision = "0016"
down_revision = "0015"

FEEDBACK = """
ALTER TABLE appeals
    ADD COLUMN reclassified_to text,
    ADD COLUMN callback_result text,
    ADD COLUMN called_back_at timestamptz,
    ADD COLUMN satisfaction text,
    ADD COLUMN rated_at timestamptz;

CREATE INDEX appeals_unit_code ON appeals (unit_code, received_at);

DO $$
BEGIN
    EXECUTE format('GRANT UPDATE (reclassified_to, callback_result, called_back_at, satisfaction, rated_at) '
                   'ON appeals TO %I', current_database() || '_service');
END
$$;
"""


def upgrade() -> None:
    """Makes room for it."""
    run_scripts(FEEDBACK)
