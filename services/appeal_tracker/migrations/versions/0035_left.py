"""From which units appeals went, for whoever follows those that a unit handles.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0035"
down_revision = "0034"

TABLE = """
CREATE TABLE appeal_leavings (
    appeal_id uuid NOT NULL REFERENCES appeals (id),
    unit_code text NOT NULL,
    left_at timestamptz NOT NULL DEFAULT now(),
    changed_xid bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    PRIMARY KEY (appeal_id, unit_code)
);
CREATE INDEX appeal_leavings_feed ON appeal_leavings (changed_xid, appeal_id);
"""
# However they go: handed over, given back, taken over, or because units merge.
TRIGGER = """
CREATE FUNCTION appeal_left() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO appeal_leavings (appeal_id, unit_code) VALUES (old.id, old.handling_unit_code)
    ON CONFLICT (appeal_id, unit_code) DO UPDATE
    SET left_at = now(), changed_xid = pg_current_xact_id()::text::bigint;
    RETURN NULL;
END
$$;
CREATE TRIGGER appeals_left AFTER UPDATE OF handling_unit_code ON appeals FOR EACH ROW
WHEN (old.handling_unit_code IS DISTINCT FROM new.handling_unit_code) EXECUTE FUNCTION appeal_left();
"""


def upgrade() -> None:
    """Makes the table, and the trigger that fills it."""
    run_scripts(TABLE, TRIGGER)
