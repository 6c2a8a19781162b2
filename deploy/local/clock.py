"""The scaled clock's file, by which every service of one stack lives in the same virtual time."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from deploy.local import files


@dataclass(frozen=True)
class Scale:
    """Virtual time was `start` at real epoch second `anchor` and runs `speed` times as fast; unanchored it stands."""

    start: datetime
    speed: float
    anchor: float | None = None

    @classmethod
    def read(cls, path: Path) -> Self:
        kept = files.read_json(path)
        return cls(datetime.fromisoformat(kept["start"]), kept["speed"], kept["anchor"])

    def write(self, path: Path) -> None:
        files.write_json(path, {"start": self.start.isoformat(), "speed": self.speed, "anchor": self.anchor})

    def now(self) -> datetime:
        """The virtual instant."""
        elapsed = 0.0 if self.anchor is None else time.time() - self.anchor
        return self.start + timedelta(seconds=elapsed * self.speed)


def set_off(path: Path) -> None:
    """Let virtual time run from now on; one that already runs is left alone."""
    scale = Scale.read(path)
    if scale.anchor is None:
        Scale(scale.start, scale.speed, time.time()).write(path)


def jump(path: Path, to: datetime) -> None:
    """Make it `to` now, running on at the same speed; the services notice within 50 ms. Only ever forwards."""
    scale = Scale.read(path)
    if to < scale.now():
        raise ValueError(f"virtual time is already past {to.isoformat()}")
    Scale(to, scale.speed, time.time()).write(path)
