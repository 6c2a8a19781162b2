"""The passwords of the database roles: random, made at first need, kept privately in the state."""

import secrets
from pathlib import Path

from deploy.local import files


class Passwords:
    """One file of role → password."""

    def __init__(self, state_dir: Path) -> None:
        self.path = state_dir / "postgres.passwords.json"

    def of(self, role: str) -> str:
        kept = files.read_json(self.path)
        if role not in kept:
            kept[role] = secrets.token_urlsafe(24)
            files.write_json(self.path, kept)
        return str(kept[role])
