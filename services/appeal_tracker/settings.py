"""What the service reads from its environment."""

from chassis.runtime import RuntimeSettings


class Settings(RuntimeSettings, env_prefix="APPEAL_TRACKER_"):
    """The settings of appeal_tracker: those that every service has."""
