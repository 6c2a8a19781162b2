"""The chain of hashes over the archive and the trail."""

from chassis.chain import DDL, chained
from chassis.migrate import run_scripts

revision = "0009"
down_revision = "0008"

TABLES = ("archive_entries", "archive_gap_reasons", "archive_rules", "archive_holds", "trail")


def upgrade() -> None:
    """Makes the chain; what was archived before is sealed by the first sealer."""
    run_scripts(DDL, *map(chained, TABLES))
