"""What was sent more than an hour before waits for no receipt: the code of the revision before did not wait for any,
and where receipts never came, all messages of a day would be told a second time.

It only expands: what the code of the revision before sends meanwhile waits.
"""

from chassis.migrate import run_scripts

revision = "0024"
down_revision = "0023"

# By the notifier's own time, which may be scaled.
SENT = """
UPDATE deliveries SET fallback = '{}'
WHERE fallback <> '{}' AND state = 'sent' AND sent_at < (
    SELECT max(sent_at) FROM deliveries WHERE fallback <> '{}' AND state = 'sent') - interval '1 hour';
"""


def upgrade() -> None:
    """Finds them by their index."""
    run_scripts(SENT)
