"""`make token`: accepted by the services' own verification, good for 24 hours, made without asking anybody."""

import subprocess
import sys
import threading
from pathlib import Path

import jwt
import pytest

from chassis.web.tokens import Tokens
from deploy.local.errors import Refused
from deploy.local.prepare import write_tokens
from deploy.local.services import AUDIENCE, ISSUER, REAL
from deploy.local.state import State
from deploy.local.tokens import Issuer
from tests.support.local_stack import LocalStack


@pytest.fixture
def issuer(tmp_path: Path) -> Issuer:
    return Issuer(tmp_path)


def claims(token: str) -> dict[str, object]:
    return jwt.decode(token, options={"verify_signature": False})


async def test_the_services_accept_it(issuer: Issuer) -> None:
    tokens = Tokens(issuer=ISSUER, audience=AUDIENCE, jwks=str(issuer.jwks))
    one = await tokens.principal(issuer.token(["handler", "callback"], "37401", "S0042"))
    assert (one.sub, one.unit, one.roles) == ("S0042", "37401", frozenset({"handler", "callback"}))
    service = await tokens.principal(issuer.token(["service"], None, "notifier"))
    assert (service.sub, service.unit, service.roles) == ("notifier", None, frozenset({"service"}))


def test_it_is_good_for_a_day_and_names_its_role_when_it_names_nobody(issuer: Issuer) -> None:
    body = claims(issuer.token(["admin"], "37401", None))
    assert body["exp"] - body["iat"] == 24 * 3600  # type: ignore[operator]
    assert body["sub"] == "local-admin"
    assert claims(issuer.token(["admin"], "37401", None))["jti"] != body["jti"]


@pytest.mark.parametrize(
    ("roles", "unit", "said"),
    [
        (["king"], "37401", "There is no role 'king'; the roles are visitor, handler, callback, supervisor, admin"),
        ([], "37401", "ROLE is missing: one or more of visitor, "),
        (["admin"], None, "UNIT is missing: the code of the person's unit."),
        (["service"], "37401", "The role service has no UNIT."),
        (["service", "admin"], "37401", "The role service stands alone"),
    ],
)
def test_what_no_service_would_accept_is_refused(issuer: Issuer, roles: list[str], unit: str | None, said: str) -> None:
    with pytest.raises(Refused, match=said):
        issuer.token(roles, unit, None)


def test_the_key_is_private_and_kept(tmp_path: Path) -> None:
    first, second = Issuer(tmp_path), Issuer(tmp_path)
    assert jwt.get_unverified_header(first.token(["admin"], "1", None)) == jwt.get_unverified_header(
        second.token(["admin"], "1", None)
    )
    assert (tmp_path / "key.jwk").stat().st_mode & 0o777 == 0o600
    assert '"d"' not in (tmp_path / "jwks.json").read_text()


def test_two_that_make_the_key_at_once_have_one(tmp_path: Path) -> None:
    kids: list[str] = []
    threads = [
        threading.Thread(
            target=lambda: kids.append(jwt.get_unverified_header(Issuer(tmp_path).token(["admin"], "1", None))["kid"])
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(kids) == 8
    assert len(set(kids)) == 1


def test_each_service_has_a_token_file_of_its_own_that_is_refreshed(tmp_path: Path) -> None:
    state = State(tmp_path)
    state.auth.mkdir()
    write_tokens(state, REAL)
    for name in REAL.services:
        before = state.token(name).read_text()
        assert (claims(before)["sub"], claims(before)["roles"]) == (name, ["service"])
        assert state.token(name).stat().st_mode & 0o777 == 0o600
    write_tokens(state, REAL)
    assert state.token("notifier").read_text() != before


async def test_the_command_prints_the_token_alone(tmp_path: Path) -> None:
    stack = LocalStack(tmp_path / "state", port_base=8000)
    State(stack.state_dir).open()
    done = stack.run("token", ROLE="supervisor, handler", UNIT="37401", STAFF="S0001")
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    tokens = Tokens(issuer=ISSUER, audience=AUDIENCE, jwks=str(tmp_path / "state" / "auth" / "jwks.json"))
    principal = await tokens.principal(done.stdout.strip())
    assert (principal.sub, principal.roles) == ("S0001", frozenset({"supervisor", "handler"}))
    wrong = stack.run("token", ROLE="king")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert wrong.stderr.count("\n") == 1
    assert stack.run("reset").returncode == 0


def test_it_takes_no_service_and_no_database(tmp_path: Path) -> None:
    state = tmp_path / "state"
    State(state).open()
    script = "import sys; from deploy.local.__main__ import main; sys.exit(main(['token']))"
    env = LocalStack(state, port_base=8000).environment({"ROLE": "admin", "UNIT": "1", "POSTGRES": "machine"})
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("eyJ")
    assert not (state / "postgres").exists()


def test_where_no_stack_lives_nothing_is_made(tmp_path: Path) -> None:
    state = tmp_path / "typo"
    done = LocalStack(state, port_base=8000).run("token", ROLE="admin", UNIT="1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"No stack lives in {state}: `make up` makes one there; STATE_DIR names another place.\n"
    assert not state.exists()
