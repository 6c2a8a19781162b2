"""What the vault adds to a service's command line."""

import sys
from collections.abc import Sequence

from pydantic import SecretStr

from chassis.db import Database
from chassis.settings import VaultSettings
from chassis.vault.errors import KeysMissing, KeysUnusable
from chassis.vault.masters import MasterKeys
from chassis.vault.sealing import Sealed
from chassis.vault.vault import Vault


def keys_are_there(settings: VaultSettings) -> bool:
    """Whether the master keys can be read; otherwise one sentence says what is missing."""
    try:
        MasterKeys(settings.vault_keys).read()
    except KeysUnusable as error:
        variable = f"{settings.model_config.get('env_prefix', '')}VAULT_KEYS"
        print(f"{variable} must name the file of master keys that seal personal text: {error}", file=sys.stderr)
        return False
    return True


async def rotate(
    service: str, settings: VaultSettings, database_url: SecretStr | None, columns: Sequence[Sealed], *, wrap_only: bool
) -> int:
    """Changes the keys of a service while it runs, as the tables' owner; gives the exit code."""
    if database_url is None:
        print("MIGRATION_DATABASE_URL is not set: keys are changed by the role that owns the tables", file=sys.stderr)
        return 2
    if not keys_are_there(settings):
        return 2
    from chassis.vault import rotation  # not loaded by a running service

    db = Database(database_url.get_secret_value(), pool_size=2, name=f"{service} rotate-keys")
    try:
        its = rotation.Rotation(db, Vault(db, settings.vault_keys), columns)
        done = await its.run(wrap_only=wrap_only)
    except (rotation.AnotherRuns, KeysMissing) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        await db.close()
    print(f"data keys: {done.wrapped} wrapped anew, {done.made} made; values sealed anew: {done.sealed}")
    return 0
