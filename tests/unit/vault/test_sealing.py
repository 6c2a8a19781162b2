"""What is sealed opens in its place, under its key, unchanged, and nowhere else."""

import base64
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.ids import new_id
from chassis.vault import KeysMissing, KeysUnusable, Misplaced, Place
from chassis.vault.masters import MasterKey, MasterKeys, parse
from chassis.vault.sealing import DataKey, key_of, unwrap, wrap

KEY = DataKey(new_id(), "374", bytes(range(32)))
ROW = new_id()
PLACE = Place("contacts", "phone", ROW)
LINE = base64.b64encode(bytes(32)).decode()


@given(st.text(max_size=300))
def test_what_is_sealed_opens_in_its_place(text: str) -> None:
    sealed = KEY.seal(PLACE, text)
    assert KEY.open(PLACE, sealed) == text
    assert key_of(sealed) == KEY.id
    assert len(text) < 4 or text.encode() not in sealed
    assert KEY.seal(PLACE, text) != sealed, "the same text never looks the same twice"


def test_a_thousand_are_sealed_as_one_is() -> None:
    seal = KEY.sealer(PLACE.table, PLACE.column)
    many = [seal(str(PLACE.row), "13812340000") for _ in range(1000)]
    assert {KEY.open(PLACE, each) for each in many} == {"13812340000"}
    assert len({each[17:29] for each in many}) == 1000, "no nonce is used twice"


@pytest.mark.parametrize(
    "place",
    [
        Place("contacts", "phone", new_id()),
        Place("contacts", "name", ROW),
        Place("customers", "phone", ROW),
        Place("contactsp", "hone", ROW),
    ],
)
def test_it_opens_in_no_other_place(place: Place) -> None:
    with pytest.raises(Misplaced, match=f"{place.table}.{place.column} of {place.row}"):
        KEY.open(place, KEY.seal(PLACE, "13812340000"))


def test_it_opens_only_as_it_was_written() -> None:
    sealed = KEY.seal(PLACE, "13812340000")
    for at in range(len(sealed)):
        spoilt = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(Misplaced):
            DataKey(key_of(spoilt), "374", KEY.secret).open(PLACE, spoilt)
    for short in (b"", sealed[:1], sealed[:-1]):
        with pytest.raises(Misplaced):
            KEY.open(PLACE, short)
    for no_value in (b"", b"13812340000", b"\x02" + sealed[1:]):
        with pytest.raises(Misplaced):
            key_of(no_value)


def test_an_error_repeats_neither_text_nor_key() -> None:
    with pytest.raises(Misplaced) as wrong:
        KEY.open(Place("contacts", "name", ROW), KEY.seal(PLACE, "13812340000"))
    assert "13812340000" not in str(wrong.value)
    assert wrong.value.__cause__ is None
    assert "\\x" not in repr(KEY) + repr(MasterKey("a", bytes(32)))


def test_a_data_key_is_unwrapped_by_its_master_and_for_its_owner_only() -> None:
    master = MasterKey("2026", bytes(32))
    wrapped = wrap(master, KEY.id, "374", "sealing", KEY.secret)
    assert KEY.secret not in wrapped
    assert unwrap(master, KEY.id, "374", "sealing", wrapped) == KEY.secret
    others: list[tuple[MasterKey, UUID, str, str]] = [
        (MasterKey("2026", bytes([1] * 32)), KEY.id, "374", "sealing"),
        (MasterKey("2025", bytes(32)), KEY.id, "374", "sealing"),
        (master, new_id(), "374", "sealing"),
        (master, KEY.id, "375", "sealing"),
        (master, KEY.id, "374", "searching"),
    ]
    for other in others:
        with pytest.raises(KeysMissing):
            unwrap(*other, wrapped)


def test_the_first_key_of_the_file_is_the_current_one(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# ours\n\n2026-11 {LINE}\n2025-11  {LINE}\n")
    keys = MasterKeys(file)
    assert keys.read() == MasterKey("2026-11", bytes(32))
    assert keys.named("2025-11").name == "2025-11"
    with pytest.raises(KeysMissing, match="2027"):
        keys.named("2027")
    file.write_text(f"2027 {LINE}\n" + file.read_text())
    assert keys.named("2027").name == "2027", "a name that was not there yet is looked for again"
    assert keys.read().name == "2027"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no key"),
        ("# nothing", "no key"),
        (LINE, "line 1"),
        ("2026 c2hvcnQ=", "line 1"),
        (f"2026 {LINE}\n2025 {LINE[:-2]}", "line 2"),
        (f"2026 {LINE}\n2026 {LINE}", "names 2026 a second time"),
        (f"20/26 {LINE}", "line 1"),
    ],
)
def test_a_file_that_is_none_is_refused_without_its_words(text: str, said: str) -> None:
    with pytest.raises(KeysUnusable, match=said) as refused:
        parse(text)
    assert LINE not in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeysUnusable, match="absent"):
        MasterKeys(tmp_path / "absent").read()
    with pytest.raises(KeysUnusable, match="no file"):
        MasterKeys(None).read()
