"""Of customers that were removed nothing personal is kept, nor of those one spoke to there."""

from chassis.messaging.schema import may_delete
from chassis.migrate import run_scripts

revision = "0026"
down_revision = "0025"

FORGOTTEN = """
UPDATE customers SET
    phone = NULL, phone_sealed = NULL, phone_index = NULL, address_sealed = NULL, particulars_sealed = NULL
WHERE removed_at IS NOT NULL;
UPDATE contacts SET
    person_sealed = NULL, phone_index = NULL, removed_at = customers.removed_at, version = contacts.version + 1,
    updated_at = customers.removed_at, changed_xid = pg_current_xact_id()::text::bigint
FROM customers WHERE customers.id = contacts.customer_id AND customers.removed_at IS NOT NULL
    AND contacts.removed_at IS NULL;
DELETE FROM customer_said USING customers
WHERE customers.id = customer_said.customer_id AND customers.removed_at IS NOT NULL;
"""


def upgrade() -> None:
    """Empties what is left; feeds tell of the contacts that go."""
    run_scripts(FORGOTTEN, may_delete("customer_said"))
