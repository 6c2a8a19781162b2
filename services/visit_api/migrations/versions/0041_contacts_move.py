"""The contacts of a customer that comes to another unit are news to whoever follows that unit's.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0041"
down_revision = "0040"

# However a customer comes there: by hand, by a file, or because its unit merged.
TRIGGER = """
CREATE FUNCTION customer_moved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE contacts SET updated_at = new.updated_at, changed_xid = pg_current_xact_id()::text::bigint
    WHERE customer_id = new.id AND removed_at IS NULL;
    RETURN NULL;
END
$$;
CREATE TRIGGER customers_moved AFTER UPDATE OF unit_code ON customers FOR EACH ROW
WHEN (old.unit_code IS DISTINCT FROM new.unit_code) EXECUTE FUNCTION customer_moved();
"""


def upgrade() -> None:
    """Adds a trigger that fires where a customer's unit changes."""
    run_scripts(TRIGGER)
