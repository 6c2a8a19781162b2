"""Personal text at rest: sealed under a data key of its owner, found again by keyed hashes, never by its words.

Envelope encryption. A *master key* stands in a file outside the database and only wraps *data keys*; a data key belongs
to an owner (a top unit, or nobody) and stands wrapped in the table `data_keys`. A sealed value is bound to its place
(table, column, row) and names its key, so that it can neither be moved nor mistaken, and keys can change while services
run (`python -m <service> rotate-keys`). A service names its sealed columns in its `Service.sealed`.
"""

from chassis.vault.errors import KeysMissing, KeysUnusable, Misplaced, NoDataKey, VaultError
from chassis.vault.schema import DDL
from chassis.vault.sealing import DataKey, Place, Sealed
from chassis.vault.searching import Index
from chassis.vault.vault import Vault

__all__ = [
    "DDL",
    "DataKey",
    "Index",
    "KeysMissing",
    "KeysUnusable",
    "Misplaced",
    "NoDataKey",
    "Place",
    "Sealed",
    "Vault",
    "VaultError",
]
