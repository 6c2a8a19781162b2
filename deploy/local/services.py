"""The services of the stack: the commands that run them, and the environment each is given."""

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.local.databases import DatabaseUrls
from deploy.local.processes import LOOPBACK
from deploy.local.settings import ROOT, SERVICE_PORTS, Settings
from deploy.local.tokens import AUDIENCE, ISSUER, Issuer

Command = tuple[str, ...]


@dataclass(frozen=True)
class Programs:
    """What is run: a command for each service and one for the embedded bus; all of them know the word `migrate`."""

    services: Mapping[str, Command]
    bus: Command


REAL = Programs(
    services={name: (sys.executable, "-m", name) for name in SERVICE_PORTS},
    bus=(sys.executable, "-m", "chassis.messaging.embedded"),
)


@dataclass(frozen=True)
class Surroundings:
    """What the services of one stack share."""

    settings: Settings
    urls: Mapping[str, DatabaseUrls]
    kafka: str | None
    issuer: Issuer
    clock: Path | None


def base_environment() -> dict[str, str]:
    """Our own environment with the project on the import path, and without what make tells its children."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    return {**inherited, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "services")])}


def bus_environment(bus: DatabaseUrls) -> dict[str, str]:
    """What migrating the embedded bus needs."""
    return {"BUS_MIGRATION_DATABASE_URL": bus.migration}


def environment(service: str, given: Surroundings) -> dict[str, str]:
    """The variables a service is started with, beside `base_environment`."""
    values = {
        "STACK": "local",
        "DATABASE_URL": given.urls[service].service,
        "HOST": LOOPBACK,
        "PORT": str(given.settings.port(service)),
        "BUS": given.settings.bus,
        "AUTH_ISSUER": ISSUER,
        "AUTH_AUDIENCE": AUDIENCE,
        "AUTH_JWKS": str(given.issuer.jwks),
        "SERVICE_TOKEN_FILE": str(given.issuer.service_token_file(service)),
    }
    if given.kafka is not None:
        values["KAFKA_BOOTSTRAP_SERVERS"] = given.kafka
        values["KAFKA_REPLICATION"] = os.environ.get("KAFKA_REPLICATION", "1")
    else:
        values["BUS_DATABASE_URL"] = given.urls["bus"].service
    if given.clock is not None:
        values["CLOCK_FILE"] = str(given.clock)
    if service != "visit_api":
        values["VISIT_API_URL"] = f"http://{LOOPBACK}:{given.settings.port('visit_api')}"
    return {f"{service.upper()}_{name}": value for name, value in values.items()}


def migration_environment(service: str, given: Surroundings) -> dict[str, str]:
    """The same with the role that owns the tables, which a running service never gets."""
    return {**environment(service, given), f"{service.upper()}_MIGRATION_DATABASE_URL": given.urls[service].migration}
