"""The programs of the stack, and what each of them is started with."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.processes import LOOPBACK
from deploy.local.settings import ROOT, SERVICE_PORTS, Settings
from deploy.local.state import State

ISSUER = "urn:customer-visit:local"
AUDIENCE = "customer-visit"

Command = tuple[str, ...]


@dataclass(frozen=True)
class Programs:
    """What is run: a command for each service and one for the embedded bus, all of which know the word `migrate`, and
    the one that prepares the state for them; `code` is what decides how the databases look.

    Where there are `shared` modules, the services are Python modules that all import them: the supervisor loads them
    once, and the services are forks of it.
    """

    services: Mapping[str, Command]
    bus: Command
    prepare: Command
    code: tuple[Path, ...]
    shared: tuple[str, ...] = ()


# What every service has loaded when it idles: 60 MB, which then lie in memory once. Loading it must have no effect.
STOCK = (
    *("chassis.process", "chassis.peer", "chassis.scope", "chassis.trail", "contracts.topics"),
    *("chassis.web.auth", "chassis.web.body", "chassis.web.etag", "chassis.web.moments", "chassis.web.negotiation"),
    *("chassis.web.paging", "chassis.web.route", "chassis.web.schemas", "chassis.web.tables", "chassis.web.work"),
    *("pydantic.v1", "sqlalchemy.dialects.postgresql.asyncpg", "uvicorn.protocols.http.httptools_impl", "yaml"),
)

REAL = Programs(
    services={name: (sys.executable, "-m", name) for name in SERVICE_PORTS},
    bus=(sys.executable, "-m", "chassis.messaging.embedded"),
    prepare=(sys.executable, "-m", "deploy.local.prepare"),
    code=(ROOT / "chassis", ROOT / "contracts", ROOT / "services"),
    shared=STOCK if sys.platform == "linux" else (),
)


def base_environment() -> dict[str, str]:
    """Our own environment with the project on the import path, and without what make tells its children."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return {**inherited, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "services")])}


def service_environment(
    service: str, settings: Settings, database: str, bus_database: str | None, clock: Path | None
) -> dict[str, str]:
    """The variables a service is started with, beside `base_environment`; the tables' owner is not in it."""
    state = State(settings.state_dir)
    values = {
        "STACK": "local",
        "DATABASE_URL": database,
        "HOST": LOOPBACK,
        "PORT": str(settings.port(service)),
        "BUS": settings.bus,
        "BUS_DATABASE_URL": bus_database,
        "AUTH_ISSUER": ISSUER,
        "AUTH_AUDIENCE": AUDIENCE,
        "AUTH_JWKS": str(state.jwks),
        "SERVICE_TOKEN_FILE": str(state.token(service)),
        "ATTACHMENTS_DIR": str(state.attachments) if service == "visit_api" else None,
        "VAULT_KEYS": str(state.vault(service)),
        "CLOCK_FILE": str(clock) if clock else None,
        "PUBLIC_URL": f"http://{LOOPBACK}:{settings.port(service)}" if service == "appeal_tracker" else None,
        "VISIT_API_URL": f"http://{LOOPBACK}:{settings.port('visit_api')}" if service != "visit_api" else None,
        "APPEAL_TRACKER_URL": f"http://{LOOPBACK}:{settings.port('appeal_tracker')}" if service == "notifier" else None,
    }
    if settings.bus == "kafka":
        values["KAFKA_BOOTSTRAP_SERVERS"] = settings.kafka_bootstrap_servers or f"{LOOPBACK}:{settings.port('kafka')}"
        values["KAFKA_REPLICATION"] = os.environ.get("KAFKA_REPLICATION", "1")
    return {f"{service.upper()}_{name}": value for name, value in values.items() if value is not None}
