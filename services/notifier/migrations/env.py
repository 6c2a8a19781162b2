"""Run by Alembic; the tables are those of `notifier.base.Base`, the shipped data are routes, quiet hours and texts."""

from sqlalchemy import Connection

import notifier.channels.models
import notifier.deliveries.models
import notifier.directory.models
import notifier.routes.models
import notifier.subjects.models
import notifier.templates.models
import notifier.webhooks.models  # noqa: F401 - each declares its tables
from chassis.migrate import run_env
from notifier.base import Base
from notifier.deliveries import quieting
from notifier.routes import shipped
from notifier.templates import catalogue


def publish(connection: Connection) -> None:
    """All that is shipped as data."""
    shipped.publish(connection)
    quieting.publish(connection)
    catalogue.publish(connection)


run_env(Base.metadata, seed=publish)
