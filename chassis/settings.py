"""Settings: shared parts that each service composes into one class, read from the environment in its entry point.

A service writes `class Settings(ServiceSettings, DatabaseSettings, …, env_prefix="VISIT_API_")`; a field
`database_url` is then read from `VISIT_API_DATABASE_URL`.
"""

from pathlib import Path
from types import UnionType
from typing import Any, Literal, Self, Union, get_args, get_origin

from pydantic import Field, SecretStr, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings, SettingsConfigDict


class ServiceSettings(BaseSettings):
    """What every process of every service has."""

    # Values are left out of error messages: a mistyped DSN must not put its password on the terminal.
    model_config = SettingsConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True, env_ignore_empty=True)

    stack: Literal["production", "local"] = Field(
        "production", description="`local` permits what only a local stack may do"
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="least severe level that is logged"
    )


class DatabaseSettings(ServiceSettings):
    """The service's own PostgreSQL database."""

    database_url: SecretStr = Field(description="DSN of the service role, postgresql://…")
    migration_database_url: SecretStr | None = Field(
        None, description="DSN of the migrator role; needed by `migrate` only"
    )
    database_pool_size: int = Field(
        10, ge=1, le=200, description="connections that requests hold at most, in a process"
    )


class HttpSettings(ServiceSettings):
    """Where the service listens, and how much it reads."""

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=1, le=65535, description="port to listen on")
    body_limit: int = Field(
        1 << 20, ge=1024, description="bytes of a request body, where a route does not say otherwise"
    )


class AuthSettings(ServiceSettings):
    """Whose tokens are accepted."""

    auth_issuer: str = Field(description="the `iss` of accepted tokens")
    auth_audience: str = Field("customer-visit", description="the `aud` of accepted tokens")
    auth_jwks: str = Field(description="the issuer's key set: an https:// URL, or the path of a file")

    @model_validator(mode="after")
    def _keys_come_safely(self) -> Self:
        if "://" in self.auth_jwks and not self.auth_jwks.startswith("https://"):
            raise ValueError("AUTH_JWKS must be an https:// URL or a file path")
        return self


class BusSettings(ServiceSettings):
    """How events travel."""

    bus: Literal["embedded", "kafka"] = Field("embedded", description="the engine that carries events")
    bus_database_url: SecretStr | None = Field(None, description="DSN of the embedded log's database; BUS=embedded")
    kafka_bootstrap_servers: str | None = Field(None, description="host:port[,host:port]; BUS=kafka")
    kafka_replication: int = Field(3, ge=1, description="replicas of a topic; 1 on a single local broker")

    @model_validator(mode="after")
    def _engine_is_reachable(self) -> Self:
        if self.bus == "embedded" and self.bus_database_url is None:
            raise ValueError("BUS=embedded needs BUS_DATABASE_URL")
        if self.bus == "kafka" and not self.kafka_bootstrap_servers:
            raise ValueError("BUS=kafka needs KAFKA_BOOTSTRAP_SERVERS")
        return self


class VaultSettings(ServiceSettings):
    """What personal text is sealed with."""

    vault_keys: Path | None = Field(
        None, description="the file of master keys, lines of `name key`; needed where personal text is stored"
    )


class ClockSettings(ServiceSettings):
    """Which time the rules live in."""

    clock_file: Path | None = Field(None, description="the scaled clock's JSON file; STACK=local only")

    @model_validator(mode="after")
    def _time_is_scaled_locally_only(self) -> Self:
        if self.clock_file is not None and self.stack != "local":
            raise ValueError("CLOCK_FILE is refused outside the local stack (STACK=local)")
        return self


def settings_table(settings: type[BaseSettings]) -> str:
    """The settings as a Markdown table: variable, type, default, meaning; no value of the running process is read."""
    prefix = settings.model_config.get("env_prefix", "")
    rows = [("variable", "type", "default", "what it is"), ("---", "---", "---", "---")]
    for name, field in sorted(settings.model_fields.items()):
        rows.append(
            (f"`{prefix}{name}`".upper(), _type_name(field.annotation), _default(field), field.description or "")
        )
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "*required*"
    return "" if field.default is None else f"`{field.default}`"


def _type_name(annotation: Any) -> str:
    if get_origin(annotation) in (Union, UnionType):
        return " or ".join(_type_name(part) for part in get_args(annotation) if part is not type(None))
    if get_origin(annotation) is Literal:
        return ", ".join(f"`{value}`" for value in get_args(annotation))
    names = {SecretStr: "secret", Path: "path", str: "text", int: "number"}
    return names.get(annotation, getattr(annotation, "__name__", str(annotation)))
