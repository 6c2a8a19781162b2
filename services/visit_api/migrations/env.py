"""Run by alembic, as the role that owns the tables."""

from chassis.migrate import run_env

run_env()
