"""The chain of hashes over the trail."""

from chassis.chain import DDL, chained
from chassis.migrate import run_scripts

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Makes the chain; what was noted before is sealed by the first sealer."""
    run_scripts(DDL, chained("trail"))
