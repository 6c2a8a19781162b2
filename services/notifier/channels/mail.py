"""E-mail by SMTP over TLS. SMTP cannot promise once (RFC 1047): between the end of a message and its answer nobody
knows. A message bears the send's id, by which a mail server may know one that comes again.
"""

import asyncio
import socket
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING, Literal

import msgspec

from chassis.clock import RealClock
from notifier.channels.networks import Blocked
from notifier.channels.outward import Outward, checked_address, tls
from notifier.channels.port import Adapter, Ambiguous, Letter, Receipt, Refused

if TYPE_CHECKING:
    from aiosmtplib import SMTP


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`security` none is for a local stack alone."""

    host: str
    sender: str
    port: int = 465
    security: Literal["tls", "starttls", "none"] = "tls"
    username: str = ""

    def __post_init__(self) -> None:
        if not 1 <= self.port <= 65535:
            raise ValueError("a port is a number from 1 to 65535")
        if "@" not in self.sender or any(sign <= " " for sign in self.sender + self.host):
            raise ValueError("a sender is an e-mail address")


class Secrets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    password: str = ""


class Mail(Adapter):
    """One account on one server."""

    reaches = "email"

    patience = 4.0  # seconds

    def __init__(self, settings: Settings, secrets: Secrets, outward: Outward) -> None:
        self._settings, self._password, self._policy = settings, secrets.password, outward.policy

    async def send(self, letter: Letter) -> Receipt:
        if letter.address is None:
            raise Refused("no_address", permanent=True)
        if self._settings.security == "none" and not self._policy.local:
            raise Refused("not_encrypted", permanent=True)
        from aiosmtplib import SMTPException, SMTPResponseException

        connection = None
        try:
            connection = await self._connected()
            await connection.mail(self._settings.sender)
            await connection.rcpt(letter.address)
        except SMTPResponseException as error:
            raise Refused(f"smtp {error.code}", permanent=error.code >= 500) from error
        except (SMTPException, OSError) as error:  # OSError: also a time-out
            raise Refused(f"no connection: {type(error).__name__}") from error
        except Blocked as error:
            raise Refused(error.reason, permanent=True) from error
        else:
            return await self._hand_over(connection, letter)
        finally:
            if connection is not None:
                connection.close()

    async def _hand_over(self, connection: "SMTP", letter: Letter) -> Receipt:
        from aiosmtplib import SMTPException, SMTPResponseException

        try:
            async with asyncio.timeout(self.patience):
                await connection.data(bytes(self._message(letter)))
        except SMTPResponseException as error:
            raise Refused(f"smtp {error.code}", permanent=error.code >= 500) from error
        except (SMTPException, OSError) as error:
            raise Ambiguous(f"no answer: {type(error).__name__}") from error
        return Receipt(str(letter.send_id))

    async def _connected(self) -> "SMTP":
        """A session in which a message can be begun; its name was resolved once, and checked."""
        from aiosmtplib import SMTP

        its = self._settings
        async with asyncio.timeout(self.patience / 2):
            address = await checked_address(self._policy, its.host, its.port)
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            sock = socket.socket(family, socket.SOCK_STREAM)
            sock.setblocking(False)
            try:
                await asyncio.get_running_loop().sock_connect(sock, (address, its.port))
                connection = SMTP(
                    hostname=its.host,
                    sock=sock,
                    use_tls=its.security == "tls",
                    start_tls=its.security == "starttls",
                    tls_context=None if its.security == "none" else tls(),
                    timeout=self.patience,
                )
                await connection.connect()
            except BaseException:
                sock.close()
                raise
            try:
                if its.username:
                    await connection.login(its.username, self._password)
                else:
                    await connection.ehlo()
            except BaseException:
                connection.close()
                raise
        return connection

    def _message(self, letter: Letter) -> EmailMessage:
        message = EmailMessage()
        message["From"], message["To"] = self._settings.sender, letter.address
        message["Subject"] = " ".join(letter.subject.split())
        message["Message-ID"] = f"<{letter.send_id}@{self._settings.sender.rpartition('@')[2]}>"
        message["Date"] = format_datetime(RealClock().now())
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.body)
        return message
