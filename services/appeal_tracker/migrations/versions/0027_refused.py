"""What no bus would carry is found without looking through all that it carried; built while others go on."""

from chassis.messaging.schema import OUTBOX_REFUSED
from chassis.migrate import index_concurrently

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    index_concurrently("outbox_refused", OUTBOX_REFUSED)
