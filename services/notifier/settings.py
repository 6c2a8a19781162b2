"""What the service reads from its environment."""

from pathlib import Path

from pydantic import Field

from chassis.runtime import RuntimeSettings
from notifier.templates.catalogue import LanguageCode


class Settings(RuntimeSettings, env_prefix="NOTIFIER_"):
    """The settings of notifier."""

    visit_api_url: str | None = Field(None, description="where visit_api is asked how to reach people, when sending")
    service_token_file: Path | None = Field(None, description="the token this service asks with; read at each question")
    language: LanguageCode = Field("zh-CN", description="the language messages are written in")
