"""A question to another service, over HTTP, with our own token: for the few things that never travel by topic.

Whoever asks can wait: a peer that is away, slow, or does not let us in is an outage, never an answer.
"""

import asyncio
from pathlib import Path
from typing import Any

from chassis.outage import Outage
from chassis.telemetry import current_traceparent, traced

ANSWER_WITHIN = 3.0  # seconds; a worker asks again, so none waits long
LONGEST = 1 << 20  # bytes of an answer
AT_ONCE = 8  # questions


# About the peer, or about us; any other refusal is about what was asked.
_AWAY = frozenset({401, 403, 404, 408, 429, 502, 503, 504})
_NO_SUCH_THING = frozenset({404, 422})


class Unanswered(Outage):
    """The peer is there, but has no answer to this one question."""


class Declined(Exception):
    """The peer says no to what was asked, as things are; `problem` is what it says of that."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(str(problem.get("type")))
        self.problem = problem


class Peer:
    """Another service; `url` as far as its `/v1`, `token_file` as the stack renews it. Without them it is away."""

    def __init__(self, url: str | None, token_file: Path | None, transport: Any = None) -> None:
        self._url, self._token_file, self._transport = url, token_file, transport
        self._http: Any = None
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def get(self, path: str) -> Any:
        """The JSON answer to `GET /v1<path>`; None where there is no such thing, or it cannot be named so. Raises
        `Outage`, and of these `Unanswered` where others may be answered."""
        return await self._ask("GET", path)

    async def post(self, path: str, body: Any) -> Any:
        """The JSON answer to `POST /v1<path>`, of what may be asked any number of times; otherwise as `get`, and raises
        `Declined`."""
        return await self._ask("POST", path, body)

    async def _ask(self, method: str, path: str, body: Any = None) -> Any:
        import httpx  # 4 MB that a process which never asks need not carry

        if self._url is None or self._token_file is None:
            raise Outage("the peer's address or our token is not set")
        if self._http is None:
            self._http = httpx.AsyncClient(
                base_url=self._url,
                timeout=httpx.Timeout(ANSWER_WITHIN),
                follow_redirects=False,
                # One of its own, so that no proxy of the environment is asked, and shown our token.
                transport=self._transport or httpx.AsyncHTTPTransport(),
            )
        try:
            # Read each time: it is renewed while we run.
            token = (await asyncio.to_thread(self._token_file.read_text)).strip()
            async with self._turns:
                with traced(current_traceparent()) as trace:
                    headers = {"Authorization": f"Bearer {token}", "traceparent": trace}
                    answer = await self._http.request(method, f"/v1{path}", json=body, headers=headers)
            if answer.status_code in _NO_SUCH_THING and _is_a_problem(answer.headers):
                return None
            if answer.status_code == httpx.codes.CONFLICT and method == "POST" and _is_a_problem(answer.headers):
                said = answer.json()
                raise Declined(said if isinstance(said, dict) else {})
            if answer.status_code in _AWAY:
                raise Outage(f"the peer answered {answer.status_code}")
            if answer.status_code != httpx.codes.OK or len(answer.content) > LONGEST:
                raise Unanswered(f"the peer answered {answer.status_code}")
            return answer.json()
        except (httpx.HTTPError, OSError, ValueError) as error:
            raise Outage(f"the peer cannot be asked: {type(error).__name__}") from error

    async def close(self) -> None:
        """Gives back its connections; safe twice."""
        if self._http is not None:
            await self._http.aclose()
            self._http = None


def _is_a_problem(headers: Any) -> bool:
    """Whether a service of ours says so, and not what stands before it while that is away."""
    return str(headers.get("content-type", "")).startswith("application/problem+json")
