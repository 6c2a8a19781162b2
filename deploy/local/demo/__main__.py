"""Plays the story on the terminal, with a progress bar."""

import os
import signal
import sys

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from deploy.local.demo.provider import Provider, listening
from deploy.local.demo.stage import Stage, settings_from, stage
from deploy.local.demo.story import RAISED, Story
from deploy.local.errors import Refused


def main() -> int:
    """0 when the story came to its good end; otherwise one sentence and 1."""
    console = Console(highlight=False, soft_wrap=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: the stack is stopped before we end
    try:
        settings = settings_from(dict(os.environ))
        console.print(f"启动演示环境 / starting a stack of its own (ports {settings.port_base}+, bus {settings.bus}) …")
        with listening() as provider, stage(settings, RAISED) as its:
            _play(console, its, provider)
    except Refused as refusal:
        print(refusal, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    console.print("演示结束，环境已清理 / the end; nothing is left behind")
    return 0


def _play(console: Console, its: Stage, provider: Provider) -> None:
    bar = (BarColumn(), MofNCompleteColumn(), TextColumn("scenes"), TimeElapsedColumn())
    with Progress(TextColumn("{task.description}"), *bar, console=console) as progress:

        def say(chinese: str, english: str) -> None:
            progress.console.print(f"[cyan]{its.now():%m-%d %H:%M}[/]  {chinese}\n             [dim]{english}[/]")

        scenes = list(Story(its, say, provider).scenes())
        task = progress.add_task("一件投诉的一生 / the life of a complaint", total=len(scenes))
        for scene in scenes:
            scene()
            progress.advance(task)


if __name__ == "__main__":
    sys.exit(main())
