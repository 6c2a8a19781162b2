"""What a machine lacks to test something, said plainly."""

import os
from typing import NoReturn

import pytest


def not_tested(what: str) -> NoReturn:
    """Skips a test that cannot be run here, with a sentence that says why; where everything must be tested, which is
    what CI=true says, it fails instead."""
    said = f"not tested {what}"
    if os.environ.get("CI"):
        pytest.fail(said, pytrace=False)
    pytest.skip(said)


def not_beside(what: str) -> NoReturn:
    """The same for what stands outside of this repository and no machine can be asked to have, in CI neither."""
    pytest.skip(f"not tested {what}")
