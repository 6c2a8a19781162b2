"""Texts within bounds: never inside a character, and nothing lost where there is room elsewhere."""

from hypothesis import given
from hypothesis import strategies as st

from notifier.channels.cutting import MORE, cut, share


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60), st.integers(3, 80))
def test_what_is_cut_is_whole_characters_and_says_so(text: str, most: int) -> None:
    short = cut(text, most)
    assert len(short.encode()) <= most
    if short != text:
        assert len(text.encode()) > most
        assert short.endswith(MORE)
        assert text.startswith(short[: -len(MORE)])


def test_a_character_of_four_bytes_and_what_is_written_upon_one_stay_whole() -> None:
    assert cut("电力😀电力", 12) == "电力…"  # 😀 is two halves in UTF-16, four bytes here
    assert cut("ae\u0301xyzw", 7) == "ae\u0301…"
    assert cut("ae\u0301xyzw", 6) == "a…"
    assert cut("a👩\u200d🚒zzzz", 11) == "a…"
    assert cut("abcdef", 3) == "…"
    assert cut("abc", 3) == "abc"
    assert cut("abcdef", 2) == ""


def test_parts_are_shared_out_as_few_together_as_needed() -> None:
    def fits(parts: list[str]) -> bool:
        return len("".join(parts)) <= 5

    assert share(["ab", "cd", "e", "fg", "toolong", "h"], most=3, fits=fits) == [
        ["ab", "cd", "e"],
        ["fg"],
        ["toolong"],
        ["h"],
    ]
    assert share(["a", "b", "c"], most=2, fits=fits) == [["a", "b"], ["c"]]
    assert share([], most=2, fits=fits) == []
