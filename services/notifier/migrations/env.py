"""Run by Alembic; the tables are those of `notifier.base.Base`, the shipped data is the routes."""

import notifier.channels.models
import notifier.deliveries.models
import notifier.directory.models
import notifier.routes.models
import notifier.subjects.models
import notifier.webhooks.models  # noqa: F401 - each declares its tables
from chassis.migrate import run_env
from notifier.base import Base
from notifier.routes.shipped import publish

run_env(Base.metadata, seed=publish)
