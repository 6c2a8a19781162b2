"""An issuer of tokens for tests: one key, its JWKS file, and tokens by claims."""

import json
import time
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

ISSUER = "https://issuer.test"
AUDIENCE = "customer-visit"


class Issuer:
    """Signs tokens that services configured with `jwks` accept."""

    def __init__(self, folder: Path, kid: str = "test-key") -> None:
        self.key, self.kid = ec.generate_private_key(ec.SECP256R1()), kid
        public = json.loads(ECAlgorithm.to_jwk(self.key.public_key()))
        self.jwks = folder / "jwks.json"
        self.jwks.write_text(json.dumps({"keys": [{**public, "kid": kid, "use": "sig", "alg": "ES256"}]}))

    def token(self, *roles: str, unit: str | None = None, sub: str = "tester", **claims: Any) -> str:
        """A token good for a day, which no run outlasts; `claims` override."""
        now = int(time.time())
        body = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 86_400, "jti": uuid4().hex, "sub": sub}
        body |= {"roles": list(roles), **({"unit": unit} if unit else {}), **claims}
        return jwt.encode(body, self.key, algorithm="ES256", headers={"kid": self.kid})

    def headers(self, *roles: str, unit: str | None = None, sub: str = "tester") -> dict[str, str]:
        """The Authorization header of such a token."""
        return {"Authorization": f"Bearer {self.token(*roles, unit=unit, sub=sub)}"}
