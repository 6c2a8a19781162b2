"""${message}"""

from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Expands only: the version before this one runs on until all are replaced."""
    ${upgrades if upgrades else "op.execute('')"}
