"""Whoever declared a file may give it up, and says why; the reason is sealed.

It only expands: to the code of the revision before such a file is one that was left lying.
"""

from chassis.migrate import run_scripts

revision = "0059"
down_revision = "0058"

GIVEN_UP = """
ALTER TABLE attachments
    ADD COLUMN given_up_at timestamptz,
    ADD COLUMN given_up_by text,
    ADD COLUMN reason_sealed bytea;
"""


def upgrade() -> None:
    """Adds the columns; when what was left lying was given up, its last change says."""
    run_scripts(GIVEN_UP)
