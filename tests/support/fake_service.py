"""A stand-in for the three services, so that the supervisor is tested without them: `… NAME`, `… NAME migrate`.

`python -m tests.support.fake_service stack WORD` is the local stack's command line with these services in it. What is
only sometimes needed is imported there: these processes are started often.
FAKE_CRASH=NAME lets one die at once, FAKE_UNREADY=NAME lets one never be ready, FAKE_BAD_MIGRATION=NAME fails there.
FAKE_KILLED=NAME lets a word of one be killed, FAKE_VERIFIED=CODE is what they find.
"""

import json
import os
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODULE = (sys.executable, "-m", "tests.support.fake_service")
STOCK = ("http.server",) if sys.platform == "linux" else ()


class Answers(BaseHTTPRequestHandler):
    """/readyz, the environment the service was given, and units that are made and listed."""

    units: list[object] = []
    name = ""

    def do_GET(self) -> None:
        if self.path == "/readyz":
            well = os.environ.get("FAKE_UNREADY") != self.name
            self._answer(200 if well else 503, {"ready": well})
        elif self.path == "/environment":
            self._answer(200, dict(os.environ))
        else:
            self._answer(200, {"items": self.units})

    def do_POST(self) -> None:
        unit = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.units.append(unit)
        self._answer(201, unit)

    def _answer(self, status: int, body: object) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body, ensure_ascii=False).encode())


async def migrate(name: str) -> None:
    """Make a table, and count how often that was done."""
    import asyncpg

    connection = await asyncpg.connect(os.environ[f"{name.upper()}_MIGRATION_DATABASE_URL"])
    await connection.execute("CREATE TABLE IF NOT EXISTS migrated (at timestamptz NOT NULL DEFAULT now())")
    await connection.execute("INSERT INTO migrated DEFAULT VALUES")
    await connection.close()


def serve(name: str) -> None:
    """Listen on the port of the environment until killed."""
    Answers.name = name
    print(f"{name} listens", flush=True)
    ThreadingHTTPServer(("127.0.0.1", int(os.environ[f"{name.upper()}_PORT"])), Answers).serve_forever()


def stack(words: list[str]) -> int:
    """The local stack's own command line, with these services."""
    from deploy.local import prepare
    from deploy.local.__main__ import main
    from deploy.local.services import Programs
    from deploy.local.settings import SERVICE_PORTS

    services = {name: (*MODULE, name) for name in SERVICE_PORTS}
    preparing = (*MODULE, "stack", "prepare")
    fakes = Programs(services, bus=(*MODULE, "bus"), prepare=preparing, code=(), shared=STOCK)
    return prepare.main(words[1:], fakes) if words[0] == "prepare" else main(words, fakes)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["stack", *words]:
            sys.exit(stack(words))
        case [name, "migrate"]:
            if os.environ.get("FAKE_BAD_MIGRATION") == name:
                sys.exit("this migration cannot be done")
            import asyncio

            asyncio.run(migrate(name))
        case [name, "dlq" | "verify", *_] if os.environ.get("FAKE_KILLED") == name:
            os.kill(os.getpid(), signal.SIGKILL)
        case [name, "dlq" | "verify" as word, *rest]:
            print(f"{name} {rest} on port {os.environ[f'{name.upper()}_PORT']}")
            sys.exit(int(os.environ.get("FAKE_VERIFIED", "0")) if word == "verify" else 0)
        case [name]:
            if os.environ.get("FAKE_CRASH") == name:
                sys.exit("this service cannot start")
            serve(name)
