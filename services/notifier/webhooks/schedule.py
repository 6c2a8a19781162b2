"""When a message that did not arrive is tried again: soon, then less and less often, for three days. Pure."""

PAUSES = (5.0, 60.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0, 64_800.0, 79_200.0)  # seconds
DAYS = 3


def pause(tries: int, jitter: float, retry_after: float = 0.0) -> float | None:
    """Seconds until the next try after `tries` of them; None: that was the last. `jitter` is between 0 and 1, and takes
    off up to a tenth: never more than three days in all. Who asks for a longer pause is given it, once."""
    if tries > len(PAUSES):
        return None
    return max(PAUSES[tries - 1] * (1 - jitter / 10), retry_after)
