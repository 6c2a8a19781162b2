"""The page that says which clause is proven by which test."""

from pathlib import Path

import pytest

from tests.conformance import __main__ as conformance

TEST = """
import pytest

@pytest.mark.parametrize("day", [1, pytest.param(2, marks=pytest.mark.clause("{clause}"))])
@pytest.mark.clause("7.2.3")
def test_of_both(day): ...
"""


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tests" / "unit").mkdir(parents=True)
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr(conformance, "TESTS", tmp_path / "tests")
    monkeypatch.setattr(conformance, "PAGE", tmp_path / "docs" / "conformance.md")
    return tmp_path / "tests" / "unit" / "test_both.py"


def test_a_clause_names_the_tests_that_prove_it_and_one_without_any_says_so(tree: Path) -> None:
    tree.write_text(TEST.format(clause="002 6.3.5"))
    rows = dict(line.strip("|").split("|", 1) for line in conformance.page().splitlines() if line.startswith("| "))
    assert "[of both](../tests/unit/test_both.py)" in rows[" 7.2.3 "]
    assert "[of both](../tests/unit/test_both.py)" in rows[" 6.3.5 "]
    assert "*open*" in rows[" 4.2 "]
    assert "*for people*: training" in rows[" 8.1.2 "]


def test_a_part_that_is_for_people_is_said_beside_what_tests_prove(tree: Path) -> None:
    tree.write_text(TEST.format(clause="6.3.2.5"))
    (row,) = [line for line in conformance.page().splitlines() if line.startswith("| 6.3.2.5 ")]
    assert "[of both](../tests/unit/test_both.py)<br>*for people*: " in row


def test_a_stale_page_is_found(tree: Path) -> None:
    tree.write_text(TEST.format(clause="7.2.6"))
    assert conformance.main(["--check"]) == 1
    assert conformance.main([]) == 0
    assert conformance.main(["--check"]) == 0
    tree.write_text(TEST.format(clause="7.2.4"))
    assert conformance.main(["--check"]) == 1


def test_a_clause_that_no_standard_has_is_refused(tree: Path) -> None:
    tree.write_text(TEST.format(clause="7.2.33"))
    with pytest.raises(conformance.UnknownClause, match=r"unit/test_both.py::test_of_both names clause 7\.2\.33"):
        conformance.page()
