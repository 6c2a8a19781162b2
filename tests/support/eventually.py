"""Waiting for what another process does, with a deadline and never a guess."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Found = TypeVar("Found")


async def eventually(check: Callable[[], Awaitable[Found] | Found], within: float = 10.0) -> Found:
    """The first truthy result of `check`; its last exception or result is the failure after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        try:
            result = check()
            found: Found = await result if inspect.isawaitable(result) else result  # type: ignore[assignment]
            if found:
                return found
            problem = f"still {found!r}"
        except (AssertionError, OSError, LookupError) as error:
            if time.monotonic() > deadline:
                raise
            problem = repr(error)
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {problem}")
        await asyncio.sleep(0.02)
