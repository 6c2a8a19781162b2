"""Run by alembic, as the role that owns the tables; publishes what comes with the package in the same transaction."""

from sqlalchemy import Connection

from appeal_tracker.calendars import service as calendars
from appeal_tracker.policies import service as policies
from chassis.migrate import run_env


def publish_packaged(connection: Connection) -> None:
    """Publishes packaged calendars and policies that are not published yet."""
    calendars.publish_packaged(connection)
    policies.publish_packaged(connection)


run_env(seed=publish_packaged)
