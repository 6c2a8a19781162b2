"""Clients generated from the committed OpenAPI documents compile, and go the way of one complaint."""

import asyncio
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from deploy.local import files
from tests.conftest import ROOT
from tests.support.databases import SERVICES
from tests.support.missing import not_tested

HERE = Path(__file__).parent
TYPESCRIPT = HERE / "typescript"
DOCUMENTS = {name: ROOT / "contracts" / "openapi" / f"{name}.json" for name in SERVICES}
FOUND = {
    "visit": "in_progress",
    "clocks": [["contact", "running"], ["answer", "running"]],
    "archived": 0,
    "deliveries": 0,
    "missing": 404,
}
MOVED = {"staff": [["StaffView"], ["Gone", "StaffView"]]}


async def run(*command: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """What a command says, on both its ways out; it must do well."""
    piped = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, env={**os.environ, **(env or {})}, stdout=piped, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


async def test_a_python_client(served: Callable[[str], str], tmp_path: Path) -> None:
    generator = Path(sys.executable).with_name("openapi-python-client")

    async def generate(name: str) -> str:
        to = tmp_path / f"{name}_client"
        options = ("--meta", "none", "--config", HERE / "python.yaml", "--output-path", to)
        return await run(generator, "generate", "--path", DOCUMENTS[name], *options, cwd=tmp_path)

    said = await asyncio.gather(*map(generate, SERVICES))
    assert said == [f"Generating {tmp_path / name}_client\n" for name in SERVICES], "no warning"
    env = {"PYTHONPATH": str(tmp_path), "SMOKE": served("374")}
    assert json.loads(await run(sys.executable, HERE / "smoke.py", cwd=tmp_path, env=env)) == FOUND | MOVED


async def test_a_typescript_client(served: Callable[[str], str], tmp_path: Path) -> None:
    node = shutil.which("node")
    modules = await installed()
    for file in TYPESCRIPT.iterdir():
        shutil.copy(file, tmp_path)
    (tmp_path / "node_modules").symlink_to(modules)

    async def generate(name: str) -> str:
        to = ("-o", f"generated/{name}.ts", "--default-non-nullable=false")  # what has a default may be left out
        return await run(node, modules / "openapi-typescript/bin/cli.js", DOCUMENTS[name], *to, cwd=tmp_path)

    said = await asyncio.gather(*map(generate, SERVICES))
    assert [len(words.splitlines()) for words in said] == [2, 2, 2], said  # its name and the file's: no warning
    assert await run(node, modules / "typescript/bin/tsc", "-p", ".", cwd=tmp_path) == ""
    env = {"SMOKE": served("375")}
    assert json.loads(await run(node, "compiled/smoke.js", cwd=tmp_path, env=env)) == FOUND


async def installed() -> Path:
    """The packages of the lock file, fetched once; a machine that cannot says so, and fails with CI=true."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        not_tested("is the TypeScript client: node and npm are not installed")
    lock = hashlib.sha256((TYPESCRIPT / "package-lock.json").read_bytes()).hexdigest()[:12]
    home = ROOT / ".state" / "cache" / f"typescript-{lock}"
    files.make_private(home)
    with files.alone(home):
        if not (home / "installed").exists():
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(TYPESCRIPT / name, home)
            try:
                await run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", cwd=home)
            except AssertionError as failure:
                not_tested(f"is the TypeScript client, its packages cannot be fetched: {failure}")
            (home / "installed").touch()
    return home / "node_modules"
