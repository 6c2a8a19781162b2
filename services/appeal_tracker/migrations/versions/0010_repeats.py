"""Appeals by customer, and which earlier one an appeal repeats.

It only expands: the code of the revision before runs on these tables while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0010"
down_revision = "0009"

REPEATS = """
ALTER TABLE appeals ADD COLUMN repeat_of uuid;
ALTER TABLE appeals ADD COLUMN repeats integer NOT NULL DEFAULT 0;
CREATE INDEX appeals_customer_id ON appeals (customer_id, received_at, id) WHERE customer_id IS NOT NULL;
"""


def upgrade() -> None:
    run_scripts(REPEATS)
