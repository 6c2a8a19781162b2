"""What was sent lately under a limit, slot by slot, and until when it counts; what is wrong with an account."""

from chassis.migrate import run_scripts

revision = "0011"
down_revision = "0010"

_WINDOWS = """
ALTER TABLE buckets ADD COLUMN slot bigint NOT NULL DEFAULT 0;
ALTER TABLE buckets ADD COLUMN counts integer[] NOT NULL DEFAULT '{}';
ALTER TABLE buckets ADD COLUMN empty_at timestamptz NOT NULL DEFAULT (now() + interval '32 days');
ALTER TABLE accounts ADD COLUMN problem text;
"""


def upgrade() -> None:
    run_scripts(_WINDOWS)
