"""The words of the local stack: `python -m deploy.local up`; `make` has one target for each."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

from deploy.local import cluster, files
from deploy.local.errors import Refused, explain
from deploy.local.kafka import Kafka
from deploy.local.leftovers import stop_stack
from deploy.local.services import REAL, Programs, base_environment
from deploy.local.settings import ROOT, Settings
from deploy.local.signals import Signals, Stopped
from deploy.local.state import State
from deploy.local.supervisor import Supervisor

CHAINING = ("visit_api", "appeal_tracker")  # the services that chain what they keep: archive and trail
_FROM_BEST = (0, 3, 4, 2, 1)  # what `verify` answers: see chassis.chain.command


def up(settings: Settings, programs: Programs) -> int:
    """Run the stack in the foreground."""
    with Signals() as signals:
        try:
            Supervisor(settings, signals, programs).up()
        except Stopped:
            print("stopped", flush=True)
    return 0


def down(settings: Settings, programs: Programs) -> int:
    """Stop the stack, or what is left of it."""
    print("stopped" if stop_stack(State(settings.state_dir)) else "nothing was running")
    return 0


def reset(settings: Settings, programs: Programs) -> int:
    """Stop the stack and forget its state."""
    state = State(settings.state_dir)
    if state.folder.exists() and not state.known:
        raise Refused(f"{state.folder} is not the state of a stack: nothing was removed.")
    stop_stack(state)
    # The databases of a given server stay as they are, if there are any.
    stay = state.has_keys and not state.has_server
    cluster.forget(state.folder)
    state.forget(databases_stay=stay)
    left = [str(path) for path in state.of_databases if path.exists()]
    print(f"forgotten: {state.folder}" + (f", but for what its databases need: {', '.join(left)}" if left else ""))
    return 0


def token(settings: Settings, programs: Programs) -> int:
    """Print a token for ROLE, UNIT and STAFF, good for 24 hours."""
    from deploy.local.tokens import Issuer  # cryptography has no place in the supervisor's memory

    state = State(settings.state_dir)
    if not state.known:
        raise Refused(f"No stack lives in {state.folder}: `make up` makes one there; STATE_DIR names another place.")
    state.open()
    roles = [role.strip() for role in os.environ.get("ROLE", "").split(",") if role.strip()]
    print(Issuer(state.auth).token(roles, os.environ.get("UNIT") or None, os.environ.get("STAFF") or None))
    return 0


def dlq(settings: Settings, programs: Programs) -> int:
    """List the dead letters of all services or of SERVICE; DO=replay handles them again, with KEY= one key's only;
    DO=drop gives up SERVICE's at PLACE=; what was parked behind it is then taken in by a replay."""
    chosen = os.environ.get("SERVICE") or None
    if chosen is not None and chosen not in programs.services:
        raise Refused(f"There is no service {chosen!r}; the services are {', '.join(programs.services)}.")
    do = os.environ.get("DO") or "list"
    if do not in ("list", "replay", "drop"):
        raise Refused(f"DO is list, replay or drop, not {do!r}.")
    if do == "drop" and chosen is None:
        raise Refused("SERVICE is missing: each service parks for itself, and what one gives up another may need.")
    words = ["dlq", do]
    for name in ("KEY", "PLACE"):
        if os.environ.get(name):
            words += [f"--{name.lower()}", os.environ[name]]
    return max(_run_as(name, words, settings, programs) for name in ([chosen] if chosen else programs.services))


def verify(settings: Settings, programs: Programs) -> int:
    """Look for whatever was edited, removed or reordered in what is chained, in all services or in SERVICE; of that
    one AGAINST= compares with saved heads or another copy of the database, SAVE= writes the heads; FILES= says where
    the files lie, FILES=no leaves them out."""
    words = ["verify"]
    for name in ("AGAINST", "SAVE", "FILES"):
        if os.environ.get(name):
            words += [f"--{name.lower()}", os.environ[name]]
    chosen = os.environ.get("SERVICE") or None
    if chosen is None and {"--against", "--save"} & {*words}:
        raise Refused(f"SERVICE is missing: each has chains of its own; those that do are {', '.join(CHAINING)}.")
    if chosen is not None and chosen not in CHAINING:
        raise Refused(f"{chosen!r} chains nothing; the services that do are {', '.join(CHAINING)}.")
    codes = [_run_as(name, words, settings, programs) for name in ([chosen] if chosen else CHAINING)]
    # Whoever ended otherwise, for it was killed, did not look: that is no better than what was found.
    return max(codes, key=lambda code: _FROM_BEST.index(code) if code in _FROM_BEST else len(_FROM_BEST))


def kafka_console(settings: Settings, programs: Programs) -> int:
    """Print the events of TOPIC with Kafka's own console consumer, until Ctrl-C."""
    topic = os.environ.get("TOPIC")
    if not topic:
        raise Refused("TOPIC is missing: visit.events, for example.")
    state = State(settings.state_dir)
    servers = _environment_of(state, "visit_api").get("VISIT_API_KAFKA_BOOTSTRAP_SERVERS")
    if servers is None:
        raise Refused("This stack carries its events on the embedded bus: `make up BUS=kafka` runs it on Kafka.")
    command = Kafka(state.folder, settings.port("kafka"), cache=settings.cache).console_consumer(topic, servers)
    os.execv(command[0], command)  # noqa: S606


def _run_as(service: str, words: Sequence[str], settings: Settings, programs: Programs) -> int:
    """Run a word of a service's own command line; its exit code, or 128 and the signal that killed it."""
    print(f"{service}:", flush=True)
    env = _environment_of(State(settings.state_dir), service)
    code = subprocess.run([*programs.services[service], *words], env=env, cwd=ROOT, check=False).returncode
    return code if code >= 0 else 128 - code


def _environment_of(state: State, service: str) -> dict[str, str]:
    if state.known and state.lock():
        state.unlock()
        raise Refused("The stack is not running: `make up` starts it.")
    env = files.read_json(state.environment(service))
    if not env:
        raise Refused("The stack has not started its services yet.")
    return {**base_environment(), **env}


WORDS: Mapping[str, Callable[[Settings, Programs], int]] = {
    "up": up,
    "down": down,
    "reset": reset,
    "token": token,
    "dlq": dlq,
    "verify": verify,
    "kafka-console": kafka_console,
}


def main(words: Sequence[str], programs: Programs = REAL) -> int:
    """Do what the one word says; 1 and one sentence when it cannot be done."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # also where the locale says otherwise
    if len(words) != 1 or words[0] not in WORDS:
        print(f"usage: python -m deploy.local {'|'.join(WORDS)}", file=sys.stderr)
        return 2
    try:
        return WORDS[words[0]](Settings.read(os.environ), programs)
    except (Refused, OSError) as error:
        print(explain(error), file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
