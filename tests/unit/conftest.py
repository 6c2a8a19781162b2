"""For rules that turn instants into days, and back."""

import os
import time
from collections.abc import Iterator

import pytest


@pytest.fixture(params=["Asia/Shanghai", "America/New_York", "Pacific/Kiritimati"])
def host_zone(request: pytest.FixtureRequest) -> Iterator[None]:
    """Where the host believes to be: nothing may come out otherwise for it."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = request.param
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()
