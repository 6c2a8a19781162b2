"""Which absences are still to be told; built while others go on."""

from chassis.migrate import index_concurrently

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    index_concurrently("absences_untold", "ON absences (id) WHERE told_xid IS DISTINCT FROM changed_xid")
