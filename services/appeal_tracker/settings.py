"""What the service reads from its environment."""

from pathlib import Path

from pydantic import Field

from chassis.runtime import RuntimeSettings


class Settings(RuntimeSettings, env_prefix="APPEAL_TRACKER_"):
    """The settings of appeal_tracker: those that every service has, and how it watches itself."""

    audit_every: float = Field(300.0, ge=0, description="real seconds between two self-audits; 0: none")
    canary_every: float = Field(120.0, ge=0, description="real seconds between two canary timers; 0: none")
    visit_api_url: str | None = Field(None, description="where visit_api is asked for the words of appeals")
    service_token_file: Path | None = Field(None, description="the token this service asks with; read at each question")
    public_url: str | None = Field(
        None,
        max_length=200,
        pattern=r"^https?://[!-~]+$",
        description="where customers reach this service; without it what bears a link to rate an answer waits",
    )
