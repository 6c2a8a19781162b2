"""The bugs that systems of this kind have again and again: each has tests that say so in their first words.

`Bug class: make-up days.` or `Bug classes: reopen; make-up days: what it shows of the last of them.`
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

TESTS = Path(__file__).parents[1]
SAID = re.compile(r"Bug class(?:es)?: ([^:]+?)(?:\.|:|$)")

CLASSES = {
    "day = 86,400 s",
    "host time zone leaks",
    "imported holiday off by one",
    "calendar changed later",
    "make-up days",
    "unpublished year",
    "endless loop on an empty calendar",
    "hold counted in wall time",
    "hold lost on policy change",
    "reopen",
    "created already held or closed",
    "first-contact stop",
    "only the earliest deadline kept",
    "missed after downtime",
    "ladder reset or skipped",
    "duplicate alerts",
    "lost alerts",
    "once-a-day suppression",
    "sent though obsolete",
    "result caps",
    "policy off or withdrawn",
}


def named() -> Iterator[str]:
    for file in TESTS.rglob("test_*.py"):
        text = file.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if "Bug class" in text else ():
            said = ast.get_docstring(node) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) else None
            if said and (classes := SAID.match(said)):
                yield from classes[1].split("; ")


def test_each_class_of_bugs_has_its_test_and_no_test_names_another() -> None:
    assert {*named()} == CLASSES
