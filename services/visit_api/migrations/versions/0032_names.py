"""Names of customers who are natural persons are sealed.

It only expands: the code of the revision before runs on this table while it is being replaced.
"""

from chassis.migrate import run_scripts

revision = "0032"
down_revision = "0031"

# What is there is checked by the next revision, which holds nobody up.
NAMES = """
ALTER TABLE customers
    ADD COLUMN name_sealed bytea,
    ALTER COLUMN name DROP NOT NULL,
    ADD CONSTRAINT customers_named CHECK (name IS NOT NULL OR name_sealed IS NOT NULL) NOT VALID;
"""


def upgrade() -> None:
    """Adds the column; holds the table for a moment."""
    run_scripts(NAMES)
