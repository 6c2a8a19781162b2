"""Which recalculations have failed and are tried again; built while others go on."""

from chassis.migrate import index_concurrently

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    index_concurrently("recalculations_failing", "ON recalculations (retry_at) WHERE retry_at IS NOT NULL")
