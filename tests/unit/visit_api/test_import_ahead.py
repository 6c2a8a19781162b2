"""Reading ahead is a guess: what it cannot read ends no other import."""

from pathlib import Path
from uuid import UUID, uuid4

import pytest

from visit_api.imports.models import Import
from visit_api.imports.storing import Ahead

LINES = b'{"customer_no": "0001"}\n{"customer_no": "0002"}\n{"customer_no": "0003"}\n'


def of(id: UUID, position: int = 0) -> Import:
    layout = {"format": "ndjson", "encoding": "utf-8", "columns": []}
    return Import(id=id, thing="customers", source="plain", layout=layout, position=position, next_line=1)


async def test_a_file_that_is_gone_when_it_is_read_ahead_ends_no_other_import(tmp_path: Path) -> None:
    gone, there = tmp_path / "gone", tmp_path / "there"
    gone.write_bytes(LINES)
    there.write_bytes(LINES)
    ahead, first, second = Ahead(), of(uuid4()), of(uuid4())
    piece = await ahead.piece(gone, first, 1)
    assert piece.more
    gone.unlink()
    ahead.go_on(gone, first, piece, 1, None)
    assert [line.number for line in (await ahead.piece(there, second, 2)).lines] == [1, 2]


async def test_a_file_that_is_gone_when_its_own_import_asks_is_said(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.write_bytes(LINES)
    ahead, its = Ahead(), of(uuid4())
    piece = await ahead.piece(gone, its, 1)
    gone.unlink()
    ahead.go_on(gone, its, piece, 1, None)
    its.position = piece.end
    with pytest.raises(FileNotFoundError):
        await ahead.piece(gone, its, 1)
