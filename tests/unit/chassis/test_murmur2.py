"""A key has the partition that every other client of Kafka would give it."""

import random

from aiokafka.partitioner import murmur2 as its_own

from chassis.messaging.murmur2 import murmur2


def test_a_key_is_placed_as_by_every_other_client() -> None:
    keys = [random.Random(length).randbytes(length) for length in range(40)]  # every rest of a word, and none
    keys += [b"019a3f6e-1f5c-7d1a-9a52-0c8a7a1c9b10", "历下供电中心".encode()]
    assert [murmur2(key) for key in keys] == [its_own(key) & 0x7FFFFFFF for key in keys]
