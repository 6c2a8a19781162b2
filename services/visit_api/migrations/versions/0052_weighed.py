"""What a device said of an appeal otherwise than the record is taken for anonymous where it was noted by code that did
not look whether it is: code of before anonymous appeals were hidden does not, and may run for a while yet.

It only expands: the code of the revision before runs on this table while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0052"
down_revision = "0051"

WEIGHED = """
ALTER TABLE sync_conflicts ADD COLUMN weighed boolean NOT NULL DEFAULT false;
CREATE FUNCTION hide_unweighed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    new.confidential := true;
    RETURN new;
END
$$;
CREATE TRIGGER sync_conflicts_unweighed BEFORE INSERT ON sync_conflicts FOR EACH ROW
WHEN (new.kind = 'appeal' AND NOT new.weighed) EXECUTE FUNCTION hide_unweighed();
"""
# Again: between the cleaning of before and this, such code may have noted some.
CONFLICTS = """
UPDATE sync_conflicts
SET confidential = true, updated_at = now(), changed_xid = pg_current_xact_id()::text::bigint
WHERE kind = 'appeal' AND NOT confidential AND NOT weighed;
"""


def upgrade() -> None:
    """Adds the column and the trigger, and looks through what was noted once; there is little."""
    run_scripts(WEIGHED, CONFLICTS)
