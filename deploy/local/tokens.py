"""The local stack's own issuer: one key, its public half for the services, tokens for people and between services."""

import json
import time
import uuid
from collections.abc import Sequence
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from deploy.local import files
from deploy.local.errors import Refused
from deploy.local.services import AUDIENCE, ISSUER

ROLES = ("visitor", "handler", "callback", "supervisor", "admin", "integration", "auditor", "service")
GOOD_FOR = 24 * 3600  # seconds, of real time also where the stack's clock is scaled


class Issuer:
    """Signs with the key in `folder`, which is made when there is none."""

    def __init__(self, folder: Path) -> None:
        self.jwks = folder / "jwks.json"
        kept = folder / "key.jwk"
        if not kept.exists():
            new = json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1())))
            files.write_once(kept, json.dumps({**new, "kid": uuid.uuid4().hex, "use": "sig", "alg": "ES256"}))
        secret = files.read_json(kept)
        self._kid, self._key = str(secret["kid"]), jwt.PyJWK(secret).key
        if not self.jwks.exists():
            files.write_json(self.jwks, {"keys": [{name: secret[name] for name in secret if name != "d"}]})

    def token(self, roles: Sequence[str], unit: str | None, staff: str | None) -> str:
        """A token good for 24 hours. Raises Refused: a role there is not, a unit that is missing or out of place."""
        for role in roles:
            if role not in ROLES:
                raise Refused(f"There is no role {role!r}; the roles are {', '.join(ROLES)}.")
        if not roles:
            raise Refused(f"ROLE is missing: one or more of {', '.join(ROLES)}, separated by commas.")
        if ("service" in roles) != (list(roles) == ["service"]):
            raise Refused("The role service stands alone: it is for services, not for people.")
        if (unit is None) != ("service" in roles):
            raise Refused(
                "The role service has no UNIT." if unit else "UNIT is missing: the code of the person's unit."
            )
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": staff or f"local-{roles[0]}",
            "roles": list(roles),
            "iat": now,
            "exp": now + GOOD_FOR,
            "jti": uuid.uuid4().hex,
            **({"unit": unit} if unit else {}),
        }
        return jwt.encode(claims, self._key, algorithm="ES256", headers={"kid": self._kid})
