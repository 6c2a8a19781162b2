"""What was answered and asked has its words, open or sealed: looked at while others write."""

from chassis.migrate import run_scripts

revision = "0030"
down_revision = "0029"

CHECKED = """
ALTER TABLE checklist_answers VALIDATE CONSTRAINT checklist_answers_no_has_reason;
ALTER TABLE obligations VALIDATE CONSTRAINT obligations_discharged_whole;
ALTER TABLE online_inquiries VALIDATE CONSTRAINT online_inquiries_answer_whole;
ALTER TABLE online_inquiries VALIDATE CONSTRAINT online_inquiries_asked;
"""


def upgrade() -> None:
    """Checks what was there before."""
    run_scripts(CHECKED)
