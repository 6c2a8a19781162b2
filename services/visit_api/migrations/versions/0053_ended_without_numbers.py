"""The number of a caller is forgotten as soon as nothing is owed, whoever ends it: code of before ended calls were
without one leaves it, and may run for a while yet.

It only expands: the code of the revision before runs on this table while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0053"
down_revision = "0052"

ENDED = """
CREATE FUNCTION forget_number() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    new.phone_sealed := NULL;
    RETURN new;
END
$$;
CREATE TRIGGER obligations_forgotten BEFORE INSERT OR UPDATE ON obligations FOR EACH ROW
WHEN (new.state = 'done' AND new.phone_sealed IS NOT NULL) EXECUTE FUNCTION forget_number();
"""
# Again: between the cleaning of before and this, such code may have left some.
FORGOTTEN = """
UPDATE obligations
SET phone_sealed = NULL, version = version + 1, updated_at = now(), changed_xid = pg_current_xact_id()::text::bigint
WHERE phone_sealed IS NOT NULL AND state = 'done';
"""


def upgrade() -> None:
    """Makes the trigger, and looks through the calls once; there are few."""
    run_scripts(ENDED, FORGOTTEN)
