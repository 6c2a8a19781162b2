"""What the service reads from its environment."""

from chassis.runtime import RuntimeSettings


class Settings(RuntimeSettings, env_prefix="VISIT_API_"):
    """The settings of visit_api: those that every service has."""
