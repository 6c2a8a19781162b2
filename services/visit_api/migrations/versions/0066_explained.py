"""What is missing of a record, and what is held, has its reason, open or sealed: looked at while others write."""

from chassis.migrate import run_scripts

revision = "0066"
down_revision = "0065"

CHECKED = """
ALTER TABLE archive_gap_reasons VALIDATE CONSTRAINT archive_gap_reasons_explained;
ALTER TABLE archive_holds VALIDATE CONSTRAINT archive_holds_explained;
"""


def upgrade() -> None:
    """Checks what was there before."""
    run_scripts(CHECKED)
