"""What a supervisor that was killed left behind: services, broker, database server."""

import signal
import time

from deploy.local import cluster, processes
from deploy.local.errors import Refused
from deploy.local.kafka import Kafka
from deploy.local.keeper import STEPS
from deploy.local.processes import PidFile
from deploy.local.state import State

STOP_SECONDS = 90.0


def stop_leftovers(state: State) -> None:
    """End every process of this state that still runs, in the order of a proper stop; the caller holds the lock."""
    left = [PidFile(path) for path in state.run.glob("*.pid") if path != state.supervisor.path]
    processes.stop_strangers(lambda: [pid for file in left if (pid := file.pid()) is not None], STEPS)
    for file in left:
        file.clear()
    Kafka(state.folder, 0).stop_leftover()
    for data in (state.folder / "postgres" / "data", cluster.elsewhere(state.folder) / "data"):
        if data.exists():
            cluster.stop_leftovers(data)
    state.supervisor.clear()


def stop_stack(state: State) -> bool:
    """Stop the stack of this state, also when its supervisor was killed; False when nothing ran. Takes the lock."""
    if not state.run.exists():
        return False
    if state.lock():
        ran = any(state.run.glob("*.pid"))
        stop_leftovers(state)
        return ran
    deadline = time.monotonic() + STOP_SECONDS
    asked = False
    while not state.lock():
        pid = state.supervisor.pid()
        if pid is not None and not asked:
            processes.signal_if_alive(pid, signal.SIGTERM)
            asked = True
        if time.monotonic() > deadline:
            raise Refused(f"The supervisor (process {pid}) did not stop within {STOP_SECONDS:.0f} seconds.")
        time.sleep(0.05)
    stop_leftovers(state)
    return True
