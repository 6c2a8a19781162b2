"""What the service reads from its environment."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field

from chassis.runtime import Runtime, RuntimeSettings


class Settings(RuntimeSettings, env_prefix="VISIT_API_"):
    """The settings of visit_api: those that every service has, and its own."""

    attachments_dir: Path = Field(
        Path("/var/lib/customer-visit/attachments"), description="folder that files of visits are kept in"
    )
    attachment_limit: int = Field(100 << 20, ge=1, description="bytes that a file of a visit has at most")
    attachments_per_visit: int = Field(50, ge=1, description="files that a visit has at most")
    upload_days: int = Field(7, ge=1, description="days after which an upload that was not ended is given up")

    archive_years: int = Field(5, ge=5, le=1000, description="years that an archived visit is kept at least")

    keep_plain: bool = Field(
        False, description="while processes of an earlier version run: what they read in the clear is kept so"
    )

    @property
    def upload_kept_for(self) -> timedelta:
        """How long an upload waits to be ended."""
        return timedelta(days=self.upload_days)


def keeps_plain(runtime: Runtime) -> bool:
    """Whether processes of an earlier version still run, which find nothing in what is sealed."""
    assert isinstance(runtime.settings, Settings)
    return runtime.settings.keep_plain
