"""What the service reads from its environment."""

from pydantic import Field

from chassis.runtime import RuntimeSettings
from notifier.templates.catalogue import LanguageCode


class Settings(RuntimeSettings, env_prefix="NOTIFIER_"):
    """The settings of notifier."""

    language: LanguageCode = Field("zh-CN", description="the language messages are written in")
