"""Attachments of a unit, for lists of them; built while others go on."""

from chassis.migrate import index_concurrently

revision = "0051"
down_revision = "0050"


def upgrade() -> None:
    index_concurrently("attachments_unit_code", "ON attachments (unit_code, id)")
