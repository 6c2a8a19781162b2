"""How a peer takes its turns: it says `ready`, then for each number on its input does so much and says the seconds."""

import sys
from collections.abc import Callable


def take_turns(turn: Callable[[int], float]) -> None:
    """Takes turns until the input ends."""
    print("ready", flush=True)
    for line in sys.stdin:
        print(turn(int(line)), flush=True)
