"""The stage of the demo: a stack in a process of its own, a clock to move, people who call the REST API."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, TypeVar

import httpx

from deploy.local import clock, processes
from deploy.local.errors import Refused
from deploy.local.processes import LOOPBACK
from deploy.local.services import base_environment
from deploy.local.settings import ROOT, Settings
from deploy.local.state import State
from deploy.local.tokens import Issuer

SPEED = 60.0  # virtual seconds a second
LEAD = timedelta(seconds=30)  # virtual time left before an awaited instant when the clock jumps: half a second
NOTICED = 0.06  # seconds until every service knows of a jump, which the clock promises for 0.05
PATIENCE = 20.0  # seconds

Seen = TypeVar("Seen")


class Stage:
    """What the story can do: move the clock, act as somebody, wait until something is seen."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._state = State(settings.state_dir)
        self._issuer = Issuer(self._state.auth)
        self._http = httpx.Client(timeout=10, trust_env=False)  # no proxy leads to this machine

    def now(self) -> datetime:
        """The virtual instant, in the time zone it was started in."""
        return clock.Scale.read(self._state.clock).now()

    def jump(self, to: datetime) -> None:
        """Makes it shortly before `to`, unless it is about that already; there is no way back."""
        if to - LEAD - self.now() > LEAD:
            clock.jump(self._state.clock, to - LEAD)
            time.sleep(NOTICED)

    def call(
        self, service: str, method: str, path: str, body: Any = None, *, role: str, unit: str, staff: str | None = None
    ) -> Any:
        """The answer's JSON. Raises Refused with the problem when it is not a success."""
        url = f"http://{LOOPBACK}:{self._settings.port(service)}/v1{path}"
        headers = {"Authorization": f"Bearer {self._issuer.token([role], unit, staff)}"}
        answer = self._http.request(method, url, json=body, headers=headers)
        if not answer.is_success:
            raise Refused(f"{method} {path} was answered {answer.status_code}: {answer.text}")
        return answer.json()

    def open(self, url: str, form: dict[str, str] | None = None) -> str:
        """The page at `url`, as somebody without an account sees it, or after they sent a form. Raises Refused."""
        answer = self._http.get(url) if form is None else self._http.post(url, data=form)
        if not answer.is_success:
            raise Refused(f"The page was answered {answer.status_code}: {answer.text}")
        return answer.text

    def until(self, what: str, look: Callable[[], Seen | None]) -> Seen:
        """What `look` sees, as soon as it sees something. Raises Refused after twenty seconds."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            if (seen := look()) is not None:
                return seen
            time.sleep(0.05)
        raise Refused(f"The demo waited {PATIENCE:.0f} s in vain: {what} (see {self._state.logs}).")


@contextmanager
def stage(settings: Settings, start: datetime) -> Iterator[Stage]:
    """A fresh stack for the length of a block; nothing of it is left behind, but for the logs of one that failed."""
    scaled = {
        "STATE_DIR": str(settings.state_dir),
        "PORT_BASE": str(settings.port_base),
        "CLOCK_START": start.isoformat(),
        "CLOCK_SPEED": str(SPEED),
    }
    env = {**base_environment(), **scaled}
    _reset(env)
    reads, writes = os.pipe()
    with os.fdopen(reads, encoding="utf-8") as telling:
        # In a session of its own, for Ctrl-C is for us, who stop it; where we are killed it stops by itself.
        with os.fdopen(writes, "wb") as told:
            stack = processes.spawn([sys.executable, "-m", "deploy.local", "up"], log=told, env=env, cwd=ROOT)
        try:
            _wait_until_ready(telling)
            yield Stage(settings)
        finally:
            stack.send_signal(signal.SIGTERM)
            stack.wait()
    _reset(env)


def _wait_until_ready(telling: Iterable[str]) -> None:
    said = []
    for line in telling:
        said.append(line)
        if line.strip() == "ready":
            return
    raise Refused("".join(said).strip())


def _reset(env: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "deploy.local", "reset"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise Refused(done.stderr.strip())


def settings_from(environ: dict[str, str] | None = None) -> Settings:
    """The demo's own state and ports, beside whatever stack is running: `STATE_DIR`/demo, `PORT_BASE` or 8050."""
    given = dict(environ or os.environ)
    chosen = {"PORT_BASE": "8050", **{name: value for name, value in given.items() if value}}
    chosen["STATE_DIR"] = f"{chosen.get('STATE_DIR', '.state')}/demo"
    for name in ("CLOCK_START", "CLOCK_SPEED"):
        chosen.pop(name, None)
    return Settings.read(chosen)
