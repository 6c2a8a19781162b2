"""Why something is missing of a record, and why a record is held, is sealed.

It only expands: the code of the revision before runs on these tables while it is being replaced. What is there stays as
it is: the chain has it so, and nobody may rewrite it.
"""

from chassis.migrate import run_scripts

revision = "0065"
down_revision = "0064"

# What is there is checked by the next revision, which holds nobody up.
SEALED = """
ALTER TABLE archive_gap_reasons
    ADD COLUMN reason_sealed bytea,
    ADD COLUMN said_digest bytea,
    ALTER COLUMN reason DROP NOT NULL,
    ADD CONSTRAINT archive_gap_reasons_explained CHECK (
        reason IS NOT NULL OR (reason_sealed IS NOT NULL AND said_digest IS NOT NULL)) NOT VALID;
ALTER TABLE archive_holds
    ADD COLUMN reason_sealed bytea,
    ADD COLUMN said_digest bytea,
    ALTER COLUMN reason DROP NOT NULL,
    ADD CONSTRAINT archive_holds_explained CHECK (
        reason IS NOT NULL OR (reason_sealed IS NOT NULL AND said_digest IS NOT NULL)) NOT VALID;
"""


def upgrade() -> None:
    """Adds the columns; holds each table for a moment."""
    run_scripts(SEALED)
