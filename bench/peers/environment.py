"""The environment of the peers: made once of hashed requirements, like the project's own, and kept in the cache."""

import asyncio
import hashlib
import shutil
import sys
from asyncio.subprocess import DEVNULL, STDOUT
from pathlib import Path
from subprocess import PIPE

from deploy.local.errors import Refused
from deploy.local.settings import ROOT

REQUIREMENTS = ROOT / "requirements" / "bench.txt"
HOME = ROOT / ".state" / "cache" / "peers"


async def python(home: Path = HOME, requirements: Path = REQUIREMENTS) -> Path:
    """The Python that has the peers. Raises Refused where they cannot be installed."""
    stamp, its = home / "installed", home / "bin" / "python"
    wanted = (
        f"{sys.version_info.major}.{sys.version_info.minor} {hashlib.sha256(requirements.read_bytes()).hexdigest()}"
    )
    if not stamp.exists() or stamp.read_text() != wanted or not its.exists():
        shutil.rmtree(home, ignore_errors=True)
        await _run("-m", "venv", "--without-pip", str(home))
        pip = ("-m", "pip", "--disable-pip-version-check", "--no-input", "-q", "--python", str(its))
        await _run(*pip, "install", "--require-hashes", "-r", str(requirements))
        stamp.write_text(wanted)
    return its


async def _run(*arguments: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT
    )
    said, _ = await process.communicate()
    if process.returncode != 0:
        last = said.decode(errors="replace").strip().splitlines()[-1:]
        raise Refused(f"the peers cannot be installed: {''.join(last) or 'pip said nothing'}")
