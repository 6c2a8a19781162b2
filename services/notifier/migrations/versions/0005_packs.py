"""By which packs a warning is told, and which packs were withdrawn: what waits to be sent goes by that."""

from chassis.migrate import run_scripts

revision = "0005"
down_revision = "0004"

_PACKS = """
CREATE TABLE withdrawn_packs (
    pack text PRIMARY KEY
);
ALTER TABLE notices ADD COLUMN packs text[];
"""


def upgrade() -> None:
    run_scripts(_PACKS)
