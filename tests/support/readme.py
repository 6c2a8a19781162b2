"""What the READMEs tell their reader to type, and what they say it answers."""

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")


@dataclass(frozen=True)
class Sample:
    """A command with the answer that is shown below it, its lines joined."""

    command: str
    answer: str


def blocks(readme: Path) -> list[str]:
    """Everything set as code, in the text or as a block, but pictures."""
    text = readme.read_text()
    fenced = re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return [body for language, body in fenced if language != "mermaid"] + inline


def sample(readme: Path) -> Sample:
    """The one command that is shown with its answer."""
    [shown] = [block for block in blocks(readme) if block.startswith("$ ")]
    command, answer = re.split(r"(?<!\\)\n", shown.removeprefix("$ "), maxsplit=1)
    return Sample(command, answer.replace("\n", ""))
