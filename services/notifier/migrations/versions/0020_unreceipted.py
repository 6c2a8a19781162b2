"""What was sent, has another channel to go by, and waits for its receipt is found without looking through all that was
sent; built while others go on."""

from chassis.migrate import index_concurrently

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    index_concurrently("deliveries_unreceipted", "ON deliveries (sent_at) WHERE fallback <> '{}' AND state = 'sent'")
