"""Every appeal has its words, open or sealed: looked at while others write."""

from chassis.migrate import run_scripts

revision = "0028"
down_revision = "0027"

CHECKED = """
ALTER TABLE appeals VALIDATE CONSTRAINT appeals_consultation_has_reason;
ALTER TABLE appeals VALIDATE CONSTRAINT appeals_said;
"""


def upgrade() -> None:
    """Checks what was there before."""
    run_scripts(CHECKED)
