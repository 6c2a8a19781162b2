"""When things were said, beside the order of hearing; and whether a person wants a send handed over once more."""

from chassis.migrate import run_scripts

revision = "0002"
down_revision = "0001"

# What an earlier version stores meanwhile has no time: the order of hearing decides about it, as it did.
_SAID = """
ALTER TABLE notices ADD COLUMN said_at timestamptz;
ALTER TABLE stops ADD COLUMN said_at timestamptz;
ALTER TABLE sends ADD COLUMN insisted boolean NOT NULL DEFAULT false;
"""


def upgrade() -> None:
    run_scripts(_SAID)
