"""What a forked service finds: `python -m tests.support.forked` forks two as the supervisor does, and has each tell."""

import json
import os
import signal
import sys
import tempfile
from pathlib import Path

from deploy.local import forking
from deploy.local.processes import PROC
from deploy.local.settings import ROOT

MODULE = "tests.support.forked"


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
    """Print what two forks tell, how they ended, and which signals reached us instead."""
    mine: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: mine.append(number))
    forking.load(["chassis.ids"])
    told, codes = [], []
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "lock").open("w"):
        for word in ("exits", "waits"):
            log = Path(folder) / word
            with log.open("ab") as out:
                env = {"PYTHONPATH": str(ROOT), "GIVEN": word}
                child = forking.fork([sys.executable, "-m", MODULE, word], log=out, env=env, cwd=ROOT)
            if word == "waits":
                while not log.read_text().endswith("\n"):
                    pass
                child.send_signal(signal.SIGTERM)
            codes.append(child.wait(10))
            told.append(json.loads(log.read_text()))
    print(json.dumps({"told": told, "codes": codes, "mine": mine}))


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main()
        case [word]:
            print(json.dumps(tell()), flush=True)
            if word == "waits":
                signal.pause()
            sys.exit(3)
