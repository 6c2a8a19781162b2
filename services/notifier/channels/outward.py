"""HTTP to where others say: each name is resolved once, every address of it is checked, and the connection is made to
the one that was checked. Nothing is followed, and of an answer no more is read than is of use.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC
from email.utils import parsedate_to_datetime
from functools import cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, cast

import msgspec

from chassis.clock import RealClock
from chassis.runtime import Runtime
from notifier.channels.connections import Connections
from notifier.channels.networks import Blocked, Place, Policy
from notifier.channels.port import Ambiguous, Refused
from notifier.settings import Settings

if TYPE_CHECKING:
    import httpcore

AGENT = "customer-visit"
LONGEST_ANSWER = 64 << 10  # bytes
LONGEST_PAUSE = 86_400.0  # seconds; who asks for more is asked again tomorrow


class Answer(msgspec.Struct, frozen=True):
    """What came back; `cut`: there was more of the body, or it did not end."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    cut: bool = False

    @property
    def retry_after(self) -> float:
        """Seconds to stay away, as the answer asks; 0 where it does not."""
        return pause_of(self.headers.get("retry-after", ""))

    def json(self) -> Any:
        """The body as JSON. Raises `Ambiguous`: what says nothing that can be read says neither yes nor no."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError):
            raise Ambiguous("the answer cannot be read") from None

    def settle(self) -> None:
        """Raises what the status says, unless it is of success: `Refused`, or `Ambiguous` for a fault behind which the
        letter may have been taken."""
        if 200 <= self.status < 300:
            return
        reason = f"status {self.status}"
        if self.status in (408, 425, 429, 503):
            raise Refused(reason, retry_after=self.retry_after, all_wait=self.status in (429, 503))
        if self.status >= 500:
            raise Ambiguous(reason)
        raise Refused(reason, permanent=True)


def policy_of(runtime: Runtime) -> Policy:
    """What the service's settings let be called."""
    return cast(Settings, runtime.settings).outbound


def pause_of(text: str) -> float:
    """A Retry-After in seconds: a number of them, or a date."""
    if text.strip().isdecimal():
        return min(float(text), LONGEST_PAUSE)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # the latter: a number that no date has
        return 0.0
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return min(max(0.0, (at - RealClock().now()).total_seconds()), LONGEST_PAUSE)


class Outward:
    """Requests to foreign places. Connections are kept only where a request that is repeated does no harm: one that the
    other side closed meanwhile would leave open whether it was read."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._connections: Connections | None = None

    async def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes = b"",
        *,
        within: float,
        keep: bool = False,
        longest: int = LONGEST_ANSWER,
    ) -> Answer:
        """The answer, whatever its status; its body may be cut. Raises `Refused` where nothing was sent for certain,
        `Ambiguous` where nobody knows."""
        import httpcore  # costs memory where nothing is sent

        try:
            place = self.policy.place(url)
        except Blocked as error:
            raise Refused(error.reason, permanent=True) from None
        try:
            async with asyncio.timeout(within), self._stream(method, place, headers, content, within, keep) as response:
                return await _read(response, longest, within)
        except Blocked as error:
            raise Refused(error.reason, permanent=True) from None
        except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
            raise Refused(f"no connection: {type(error).__name__}") from error
        except (httpcore.LocalProtocolError, httpcore.UnsupportedProtocol) as error:
            raise Refused("request_malformed", permanent=True) from error
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            raise Ambiguous(f"no answer: {type(error).__name__}") from error

    async def close(self) -> None:
        """Closes what is kept open; safe twice."""
        if self._connections is not None:
            await self._connections.close()

    @asynccontextmanager
    async def _stream(
        self, method: str, place: Place, headers: Mapping[str, str], content: bytes, within: float, keep: bool
    ) -> AsyncIterator["httpcore.Response"]:
        import httpcore

        url = httpcore.URL(
            scheme=place.scheme.encode(),
            host=place.host.encode(),
            port=place.port,
            target=place.target.encode(),
        )
        its = {"Host": place.authority, "User-Agent": AGENT, "Accept": "*/*", **headers}
        its["Content-Length"] = str(len(content))
        half = within / 2  # a connection that takes longer is refused for certain, while there is time to say so
        times = {"connect": half, "read": within, "write": within}
        pairs = [(name.encode(), value.encode()) for name, value in its.items()]
        if self._connections is None:
            self._connections = Connections(_checked_backend(self.policy))
        secure = tls() if place.scheme == "https" else None
        async with (
            self._connections.to(url.origin, secure, keep=keep) as connection,
            connection.stream(method, url, headers=pairs, content=content, extensions={"timeout": times}) as response,
        ):
            yield response


async def checked_address(policy: Policy, host: str, port: int) -> str:
    """An address of `host`, all of which are allowed: one that is not among them is reason enough to call none. Raises
    `Blocked`; `OSError` where there is none."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [str(each[4][0]) for each in found]
    for address in addresses:
        policy.check(ip_address(address))
    if not addresses:
        raise OSError(f"{host} has no address")
    return addresses[0]


@cache
def tls() -> ssl.SSLContext:
    """The authorities that the machine trusts, or those that SSL_CERT_FILE names."""
    return ssl.create_default_context()


async def _read(response: "httpcore.Response", longest: int, within: float) -> Answer:
    """The head, and of the body what comes in the rest of the time, up to `longest` bytes."""
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in response.headers}
    body, cut = bytearray(), False
    try:
        async with asyncio.timeout(within / 4):
            async for chunk in response.aiter_stream():
                body += chunk
                if len(body) > longest:
                    cut = True
                    break
    except TimeoutError:
        cut = True
    return Answer(response.status, headers, bytes(body[:longest]), cut)


def _checked_backend(policy: Policy) -> "httpcore.AsyncNetworkBackend":
    import httpcore

    class Checked(httpcore.AnyIOBackend):
        """Connects to the address that was checked; TLS goes on to speak of the name."""

        async def connect_tcp(
            self,
            host: str,
            port: int,
            timeout: float | None = None,
            local_address: str | None = None,
            socket_options: Iterable[Any] | None = None,
        ) -> "httpcore.AsyncNetworkStream":
            try:
                async with asyncio.timeout(timeout):
                    address = await checked_address(policy, host, port)
            except TimeoutError as error:
                raise httpcore.ConnectTimeout(str(error)) from error
            except (OSError, UnicodeError) as error:  # the latter: a label that no name may have
                raise httpcore.ConnectError(str(error)) from error
            return await super().connect_tcp(address, port, timeout, local_address, socket_options)

    return Checked()
