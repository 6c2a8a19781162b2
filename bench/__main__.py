"""`python -m bench [ROW …]`: measures the rows and prints the table; no row named means all of them."""

import argparse
import asyncio
import os
import platform
import sys
import time
import traceback

import uvloop

from bench.ground import Ground
from bench.outcome import Outcome
from bench.row import Row, Run
from bench.rows import ROWS
from bench.table import table
from deploy.local.errors import Refused


def main(words: list[str]) -> int:
    """0 when every row was measured, whatever the numbers say; 1 when one could not be; 2 for a row there is not."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(f"{row.name}: {row.about}" for row in ROWS))
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each side that are counted (5)")
    chosen = parser.parse_args(words)
    names = [name.upper() for name in chosen.rows]
    if unknown := set(names) - {row.name.upper() for row in ROWS}:
        parser.error(f"no row {', '.join(sorted(unknown))}; the rows are {', '.join(row.name for row in ROWS)}")
    rows = [row for row in ROWS if not names or row.name.upper() in names]
    with Ground() as ground, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_run(ground, rows, chosen.rounds))


async def _run(ground: Ground, rows: list[Row], rounds: int) -> int:
    started, outcomes, failed = time.monotonic(), list[Outcome](), list[str]()
    for row in rows:

        def say(text: str, name: str = row.name) -> None:
            print(f"{time.monotonic() - started:6.0f} s  {name}  {text}", file=sys.stderr, flush=True)

        say(row.about)
        try:
            outcomes += await row.measure(Run(ground, rounds, say))
        except Refused as why:
            failed.append(f"{row.name} was not measured: {why}")
            say(str(why))
        except Exception as error:  # noqa: BLE001 - told below and by the exit code; the other rows are worth having
            failed.append(f"{row.name} failed:\n{''.join(traceback.format_exception(error))}")
            say(f"failed: {error!r}")
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, {await ground.version()}"
    print(f"\n{machine}; median of {rounds} rounds, in turn; {time.monotonic() - started:.0f} s in all\n")
    print("\n".join([table(outcomes), *failed]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
