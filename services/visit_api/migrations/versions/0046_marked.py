"""Who of the customers bears a mark, for lists of them; built while others go on."""

from chassis.migrate import index_concurrently

revision = "0046"
down_revision = "0045"


def upgrade() -> None:
    index_concurrently("customers_marked", "ON customers (id) WHERE marks <> '{}'")
