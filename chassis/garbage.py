"""Garbage is looked for in what work leaves behind, not in what was loaded and stays to the end."""

import gc

_NEW = 10_000  # objects more than before, at which the new ones are looked through; a batch makes as many


def spare_what_is_loaded() -> None:
    """From now on nobody looks through what there is now: half a million modules, classes, functions and models; nor
    through what is new, again and again, while a batch of thousands of records is at work."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW)
