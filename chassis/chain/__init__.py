"""A chain of hashes over rows that are written once: whoever edits, removes or reorders one afterwards is found out.

A row waits from its own commit on, put there by a trigger; one sealer appends what waits, in batches, each link hashing
the one before. No write ever waits for the chain, and a transaction that commits late is sealed late, never skipped.
"""

from chassis.chain.schema import DDL, chained

__all__ = ["DDL", "chained"]
