"""What the service reads from its environment."""

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from chassis.runtime import RuntimeSettings
from notifier.channels.networks import Policy, networks
from notifier.templates.catalogue import LanguageCode


class Settings(RuntimeSettings, env_prefix="NOTIFIER_"):
    """The settings of notifier."""

    visit_api_url: str | None = Field(None, description="where visit_api is asked how to reach people, when sending")
    appeal_tracker_url: str | None = Field(
        None, description="where appeal_tracker is asked for the links of customers, when sending"
    )
    service_token_file: Path | None = Field(None, description="the token this service asks with; read at each question")
    outbound_ports: str = Field("443,8443", description="ports that webhooks and gateways may be called on")
    outbound_networks: str = Field(
        "", description="networks of one's own (CIDR, with commas) that they may be called in, beside public addresses"
    )
    singles: int = Field(
        10,
        ge=1,
        description="messages that a member of staff is sent on a channel within a minute one by one; the rest of that"
        " minute is one message",
    )
    language: LanguageCode = Field("zh-CN", description="the language messages are written in")

    @property
    def outbound(self) -> Policy:
        """What may be called by an address that somebody typed."""
        ports = frozenset(int(port) for port in self.outbound_ports.split(",") if port.strip())
        return Policy(self.stack == "local", ports, networks(self.outbound_networks))

    @model_validator(mode="after")
    def _outbound_can_be_read(self) -> Self:
        try:
            assert self.outbound is not None
        except ValueError as error:
            raise ValueError("OUTBOUND_PORTS are numbers, OUTBOUND_NETWORKS networks, with commas between") from error
        return self
