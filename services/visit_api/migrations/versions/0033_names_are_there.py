"""Every customer has a name, open or sealed: looked at while others write."""

from chassis.migrate import run_scripts

revision = "0033"
down_revision = "0032"

CHECKED = "ALTER TABLE customers VALIDATE CONSTRAINT customers_named"


def upgrade() -> None:
    """Checks what was there before."""
    run_scripts(CHECKED)
