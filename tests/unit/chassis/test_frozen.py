"""What has been run on somebody's database is never changed, only followed."""

import hashlib
from pathlib import Path

import pytest

from chassis.messaging import embedded, schema
from chassis.web import idempotency

SERVICES = Path(__file__).parents[3] / "services"


def first_of(service: str) -> str:
    return (SERVICES / service / "migrations" / "versions" / "0001_first.py").read_text()


# A service's first migration runs the first two, and a bus each of its revisions.
FROZEN = {
    "schema.MESSAGING": (schema.MESSAGING, "915d3cce3e6fe6f708c1c4398a5de30ec378aa86c1919a2eadfc6fbcb705b77c"),
    "idempotency.DDL": (idempotency.DDL, "a1b4e380fafa358c86ab4e0db7b8ab97e762cbcfcad113d8b0a5c0b2585398cb"),
    "0001 of visit_api": (first_of("visit_api"), "fe137247b8b88fc6ddcff38c0fdfd736a96fb9b791618776e7e383a7faa045de"),
    "0001 of appeal_tracker": (
        first_of("appeal_tracker"),
        "abf15d1e1dd9a3c13225fd93413200da872a43460ea8210558d04bc7a239510e",
    ),
    "0001 of notifier": (first_of("notifier"), "e9634add115b58bd30a1cdd5abfa06b8fd9df9e43a524b1b34ee68ed7e9fee8a"),
    "embedded.REVISIONS[0]": (
        embedded.REVISIONS[0],
        "9f41899cb75c488f8d73858049c51111d657b279f52bc6a93c82ad494f21bc2a",
    ),
}


@pytest.mark.parametrize("name", FROZEN)
def test_a_script_that_was_run_stays_as_it_was(name: str) -> None:
    script, digest = FROZEN[name]
    assert hashlib.sha256(script.encode()).hexdigest() == digest, (
        f"{name} has been run on databases that exist, and is not run again: put it back, and write the change as a new"
        " migration of each service (0002_….py, …), or as one more of embedded.REVISIONS"
    )


def test_every_revision_of_the_bus_is_watched() -> None:
    watched = [name for name in FROZEN if name.startswith("embedded.REVISIONS")]
    assert len(embedded.REVISIONS) == len(watched), "name the new revision in FROZEN"
