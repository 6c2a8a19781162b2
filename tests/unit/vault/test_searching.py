"""Sealed text is found by equal hashes of equal text, and by the pairs of signs in its words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.vault import Index

INDEX = Index(bytes(32))
PHONE = "customers.phone"
WORDS = "appeals.words"


def test_equal_text_of_one_field_has_one_hash() -> None:
    found = INDEX.blind(PHONE, "13812340000")
    assert len(found) == 16
    assert found == Index(bytes(32)).blind(PHONE, "13812340000"), "in every process"
    others = [
        INDEX.blind(PHONE, "13812340001"),
        INDEX.blind("contacts.phone", "13812340000"),
        Index(bytes([1] * 32)).blind(PHONE, "13812340000"),
    ]
    assert found not in others


def test_the_hashes_stay_what_they_are() -> None:
    # They are stored: another way of making them would find nothing of what is there.
    assert INDEX.blind(PHONE, "13812340000").hex() == "9409608b8d95afaa2ad06bad372590e8"
    assert INDEX.pairs(WORDS, "停电") == [4241264001533200111]


@given(st.text("停电了没人管ＡＢab12１２ 。，", max_size=60), st.integers(0, 60), st.integers(0, 60))
def test_every_word_in_a_text_is_found(text: str, start: int, end: int) -> None:
    plain = " ".join(text.split())
    assert {*INDEX.pairs(WORDS, plain[start:end])} <= {*INDEX.pairs(WORDS, plain)}


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("停电", "三天两头停电，没人管"),
        ("ＡＢ１２", "表号ab12"),
        ("kV", "10KV 线路"),
        ("两 个", "两　 \n个"),
        ("", "任何"),
        ("单", "一个字不成对"),
    ],
)
def test_words_are_found_however_they_are_written(word: str, text: str) -> None:
    assert {*INDEX.pairs(WORDS, word)} <= {*INDEX.pairs(WORDS, text)}


def test_what_is_not_there_is_not_found_and_fits_a_bigint() -> None:
    pairs = INDEX.pairs(WORDS, "三天两头停电")
    assert not {*INDEX.pairs(WORDS, "电停")} & {*pairs}
    assert {*pairs}.isdisjoint(INDEX.pairs("visits.words", "三天两头停电"))
    assert all(-(2**63) <= pair < 2**63 for pair in pairs)
    assert len(pairs) == 5
    assert INDEX.pairs(WORDS, "停电停电停电") == INDEX.pairs(WORDS, "停电停"), "each once"
