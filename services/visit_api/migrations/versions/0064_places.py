"""Whether the window that stands says where: what was agreed by phone is no appointment on site without a place.

It only expands: the code of the revision before says nothing of it. Of windows that stand already it is not known,
for their words are sealed; such a visit is changed as before.
"""

from chassis.migrate import run_scripts

revision = "0064"
down_revision = "0063"

PLACES = "ALTER TABLE visits ADD COLUMN window_without_place boolean NOT NULL DEFAULT false"


def upgrade() -> None:
    """Adds the column."""
    run_scripts(PLACES)
