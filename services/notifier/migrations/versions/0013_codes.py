"""Codes of texts belong to the account whose provider has them. Until now they stood with the texts, for all accounts:
each account of text messages begins with these."""

from chassis.migrate import run_scripts

revision = "0013"
down_revision = "0012"

_CODES = """
ALTER TABLE accounts ADD COLUMN codes jsonb NOT NULL DEFAULT '[]';
UPDATE accounts SET codes = its.codes FROM (
    SELECT coalesce(jsonb_agg(jsonb_build_object('event_type', event_type, 'code', code)), '[]') AS codes
    FROM (SELECT DISTINCT ON (event_type) event_type, code FROM templates
          WHERE code IS NOT NULL AND channel IN ('sms', 'mailbox')
          ORDER BY event_type, channel DESC, language DESC) AS present) AS its
WHERE channel = 'sms';
"""


def upgrade() -> None:
    run_scripts(_CODES)
