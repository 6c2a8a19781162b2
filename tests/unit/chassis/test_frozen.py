"""What has been run on somebody's database is never changed, only followed."""

import hashlib
from pathlib import Path

import pytest

from chassis import trail, vault
from chassis.messaging import embedded, schema
from chassis.web import idempotency

SERVICES = Path(__file__).parents[3] / "services"


# What has landed, in the order of revisions.
MIGRATIONS = {
    "visit_api": ["fe137247b8b88fc6ddcff38c0fdfd736a96fb9b791618776e7e383a7faa045de"],
    "appeal_tracker": [
        "abf15d1e1dd9a3c13225fd93413200da872a43460ea8210558d04bc7a239510e",
        "51f21d8b3acb1d3607e22d743d3532e2b8a2b94da88b39b825facbedc8d3364b",
        "8b2d2d72f2061297d9dcfec1a1971b02b1b577b308eb47ebd47319cb3448c846",
    ],
    "notifier": [
        "e9634add115b58bd30a1cdd5abfa06b8fd9df9e43a524b1b34ee68ed7e9fee8a",
        "82eb02256030050977f8a56661e5b8c9ac924680797220fa3703e09ccc4b9979",
        "64484281ea3af0ea0ef6023ebb3b4c7a8175990b84b8433fef206fbf19801a78",
    ],
}
BUS = ["9f41899cb75c488f8d73858049c51111d657b279f52bc6a93c82ad494f21bc2a"]


def migrations(service: str) -> list[Path]:
    return sorted((SERVICES / service / "migrations" / "versions").glob("*.py"))


# Migrations run the first four.
FROZEN = {
    "schema.MESSAGING": (schema.MESSAGING, "915d3cce3e6fe6f708c1c4398a5de30ec378aa86c1919a2eadfc6fbcb705b77c"),
    "idempotency.DDL": (idempotency.DDL, "a1b4e380fafa358c86ab4e0db7b8ab97e762cbcfcad113d8b0a5c0b2585398cb"),
    "vault.DDL": (vault.DDL, "fb718e5ce9c1246f6b505519328ce03ee6f1fca7b22514d2fc4d89d2b44c7ec6"),
    "trail.DDL": (trail.DDL, "7bf9a586b7f4aa02faeca1033d685700d5f1c2025ee306d39e674953f2f86755"),
    **{
        f"{path.stem} of {service}": (path.read_text(), digest)
        for service, digests in MIGRATIONS.items()
        for path, digest in zip(migrations(service), digests, strict=False)
    },
    **{
        f"embedded.REVISIONS[{place}]": (script, digest)
        for place, (script, digest) in enumerate(zip(embedded.REVISIONS, BUS, strict=True))
    },
}


@pytest.mark.parametrize("name", FROZEN)
def test_a_script_that_was_run_stays_as_it_was(name: str) -> None:
    script, digest = FROZEN[name]
    assert hashlib.sha256(script.encode()).hexdigest() == digest, (
        f"{name} has been run on databases that exist, and is not run again: put it back, and write the change as a new"
        " migration of each service (0002_….py, …), or as one more of embedded.REVISIONS"
    )


@pytest.mark.parametrize("service", MIGRATIONS)
def test_what_has_landed_is_still_there(service: str) -> None:
    assert len(migrations(service)) >= len(MIGRATIONS[service])
