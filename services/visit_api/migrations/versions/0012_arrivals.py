"""Where visitors arrived, sealed."""

from chassis.migrate import run_scripts

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Makes room for it."""
    run_scripts("ALTER TABLE visits ADD COLUMN arrival_place bytea;")
