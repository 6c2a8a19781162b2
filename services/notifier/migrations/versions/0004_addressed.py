"""Whose number or id a recipient is; what a provider with templates of its own is handed; all that waits for one."""

from chassis.migrate import run_scripts

revision = "0004"
down_revision = "0003"

_ADDRESSED = """
ALTER TABLE deliveries ADD COLUMN recipient_kind text NOT NULL DEFAULT 'staff';
CREATE INDEX deliveries_of_one ON deliveries (channel, recipient, not_before)
    WHERE state IN ('queued', 'deferred', 'failed');
ALTER TABLE sends ADD COLUMN recipient_kind text NOT NULL DEFAULT 'staff';
ALTER TABLE sends ADD COLUMN template text;
ALTER TABLE sends ADD COLUMN params jsonb;
"""


def upgrade() -> None:
    run_scripts(_ADDRESSED)
