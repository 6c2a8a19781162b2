"""The keys of sealed text, and the trail of who read it."""

from chassis.migrate import run_scripts
from chassis.trail import DDL as TRAIL
from chassis.vault import DDL as VAULT

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Makes both; the service's role can change neither a key nor a line of the trail."""
    run_scripts(VAULT, TRAIL)
