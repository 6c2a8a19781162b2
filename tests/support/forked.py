"""What a forked service finds: `python -m tests.support.forked` forks some as the supervisor does; each tells."""

import contextlib
import json
import os
import signal
import sys
import tempfile
from pathlib import Path

from deploy.local import forking
from deploy.local.processes import PROC
from deploy.local.services import STOCK
from deploy.local.settings import ROOT

MODULE = "tests.support.forked"
FULL = Path("/dev/full")


def tell() -> dict[str, object]:
    from chassis.ids import new_id

    return {
        "ids": [str(new_id()) for _ in range(3)],
        "argv": sys.argv[1:],
        "shown": (PROC / "self/cmdline").read_bytes().rstrip(b"\0").decode(),
        "leads": os.getsid(0) == os.getpid(),
        "environment": dict(os.environ),
        "files": sorted(int(path.name) for path in (PROC / "self/fd").iterdir() if path.is_symlink()),
        "term": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
    }


def main() -> None:
    """Print what forks tell, how they ended, which signals reached us instead, and who came back to us."""
    mine: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: mine.append(number))
    forking.load(STOCK)
    threads = len(list((PROC / "self/task").iterdir()))
    tell()  # as something may that is loaded, and has drawn numbers then
    told, codes = [], []
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "lock").open("w"):
        back = Path(folder) / "back"
        for word, log in (("exits", Path(folder) / "exits"), ("waits", Path(folder) / "waits"), ("full", FULL)):
            with contextlib.suppress(OSError), log.open("ab") as out:  # of which the supervisor thinks little
                env = {"PYTHONPATH": str(ROOT), "GIVEN": word}
                child = forking.fork([sys.executable, "-m", MODULE, word], log=out, env=env, cwd=ROOT)
            with back.open("a") as came:
                print(os.getpid(), file=came)
            if word == "waits":
                while not log.read_text().endswith("\n"):
                    pass
                child.send_signal(signal.SIGTERM)
            codes.append(child.wait(10))
            told += [json.loads(log.read_text())] if log != FULL else []
        us = {int(line) for line in back.read_text().split()}
    print(json.dumps({"told": told, "codes": codes, "mine": mine, "threads": threads, "alone": us == {os.getpid()}}))


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main()
        case [word]:
            print(json.dumps(tell()), flush=True)
            if word == "waits":
                signal.pause()
            sys.exit(3)
