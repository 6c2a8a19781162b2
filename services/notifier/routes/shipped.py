"""The routes shipped with the service, and their publication into the table."""

from importlib.resources import files

import msgspec
import yaml
from sqlalchemy import Connection, text

# Real time: publishing is part of a migration, which knows no domain time.
_PUBLISH = text("""
INSERT INTO routes (id, event_type, audience, channels, active, updated_at)
VALUES (:id, :event_type, :audience, :channels, :active, now()) ON CONFLICT (id) DO NOTHING
""")


class Shipped(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One route as it is shipped; one that is not `active` is switched on by who wants it."""

    event_type: str
    audience: str
    channels: list[str]
    active: bool = True

    @property
    def id(self) -> str:
        return f"{self.event_type}.{self.audience}"


def shipped() -> list[Shipped]:
    """The routes in `shipped.yaml`."""
    document = files("notifier.routes").joinpath("shipped.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(document), list[Shipped])


def publish(connection: Connection) -> None:
    """Adds the shipped routes that are not there yet; safe to repeat."""
    rows = [{"id": route.id, **msgspec.structs.asdict(route)} for route in shipped()]
    connection.execute(_PUBLISH, rows)
