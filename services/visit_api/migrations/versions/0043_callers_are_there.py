"""Every call has its caller, by customer or by number: looked at while others write."""

from chassis.migrate import run_scripts

revision = "0043"
down_revision = "0042"

CHECKED = """
ALTER TABLE obligations VALIDATE CONSTRAINT obligations_of_a_caller;
"""


def upgrade() -> None:
    """Checks what was there before."""
    run_scripts(CHECKED)
