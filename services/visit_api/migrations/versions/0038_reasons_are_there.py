"""What was handed over has its reason and each file its name, open or sealed: looked at while others write."""

from chassis.migrate import run_scripts

revision = "0038"
down_revision = "0037"

CHECKED = """
ALTER TABLE visit_hand_overs VALIDATE CONSTRAINT visit_hand_overs_explained;
ALTER TABLE staff_hand_overs VALIDATE CONSTRAINT staff_hand_overs_explained;
ALTER TABLE attachments VALIDATE CONSTRAINT attachments_named;
"""


def upgrade() -> None:
    """Checks what was there before."""
    run_scripts(CHECKED)
