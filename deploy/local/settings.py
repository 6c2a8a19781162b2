"""What the person at the terminal chose, read once from the environment (`make up BUS=kafka` puts it there)."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from deploy.local.clock import Scale
from deploy.local.errors import Refused

ROOT = Path(__file__).resolve().parents[2]
SERVICE_PORTS = {"visit_api": 1, "appeal_tracker": 2, "notifier": 3}
POSTGRES_PORT, KAFKA_PORT, KAFKA_CONTROLLER_PORT = 7, 8, 9  # +4 to +6 are left to services to come
HIGHEST_PORT = 65535

Bus = Literal["embedded", "kafka"]


@dataclass(frozen=True)
class Settings:
    """One stack: where its state is, which ports it opens, what it runs on."""

    state_dir: Path
    port_base: int = 8000
    postgres: str = "auto"
    bus: Bus = "embedded"
    kafka_bootstrap_servers: str | None = None
    scale: Scale | None = None

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "Settings":
        """Raises Refused with the sentence for whichever value cannot be."""
        chosen = {name: value.strip() for name, value in environ.items() if value.strip()}
        bus = _bus(chosen.get("BUS", "embedded"))
        return cls(
            state_dir=(ROOT / chosen.get("STATE_DIR", ".state")).absolute(),
            port_base=_port_base(chosen.get("PORT_BASE", "8000")),
            postgres=chosen.get("POSTGRES", "auto"),
            bus=bus,
            kafka_bootstrap_servers=chosen.get("KAFKA_BOOTSTRAP_SERVERS") if bus == "kafka" else None,
            scale=_scale(chosen.get("CLOCK_START"), chosen.get("CLOCK_SPEED")),
        )

    @property
    def cache(self) -> Path:
        """Where fetched jars are kept: once for all stacks of a clone, in the state if the clone cannot be written."""
        return (ROOT / ".state" if os.access(ROOT, os.W_OK) else self.state_dir) / "cache"

    def port(self, of: str) -> int:
        """The port of a service, of `postgres` or of `kafka`."""
        offsets = {**SERVICE_PORTS, "postgres": POSTGRES_PORT, "kafka": KAFKA_PORT}
        return self.port_base + offsets[of]


def _bus(text: str) -> Bus:
    match text:
        case "embedded" | "kafka":
            return text
    raise Refused(f"BUS is embedded or kafka, not {text!r}.")


def _port_base(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1024 <= int(text) <= HIGHEST_PORT - KAFKA_CONTROLLER_PORT:
        raise Refused(f"PORT_BASE is a number from 1024 to {HIGHEST_PORT - KAFKA_CONTROLLER_PORT}, not {text!r}.")
    return int(text)


def _scale(start: str | None, speed: str | None) -> Scale | None:
    if start is None:
        if speed is not None:
            raise Refused("CLOCK_SPEED needs CLOCK_START: from which instant should time run faster?")
        return None
    try:
        instant = datetime.fromisoformat(start)
    except ValueError:
        raise Refused(f"CLOCK_START is a time like 2026-10-09T08:00:00+08:00, not {start!r}.") from None
    if instant.tzinfo is None:
        raise Refused(f"CLOCK_START {start} has no offset: write {instant.isoformat()}+08:00, for example.")
    try:
        factor = float(speed or "1")
    except ValueError:
        factor = math.nan
    if not 0 < factor <= 1_000_000:
        raise Refused(f"CLOCK_SPEED is a number above 0 and up to 1000000, not {speed!r}.")
    return Scale(instant, factor)
