"""The mutations still fit the sources; whether tests catch them is for `make mutants`."""

from pathlib import Path

import pytest

from tests.faults.mutants import MUTANTS, ROOT, Edit, Mutant, MutationError, copied


@pytest.fixture(scope="module")
def names() -> list[str]:
    return [mutant.name for mutant in MUTANTS]


def test_every_mutant_has_its_own_name_and_tests_that_exist(names: list[str]) -> None:
    assert len(set(names)) == len(names) > 0
    for mutant in MUTANTS:
        assert mutant.edits and mutant.tests
        for test in mutant.tests:
            assert (ROOT / test.partition("::")[0]).exists(), test


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutation_changes_the_sources_into_others_that_compile(mutant: Mutant, tmp_path: Path) -> None:
    package = copied(tmp_path)
    for edit in mutant.edits:
        before = (package / edit.file).read_text()
        edit.apply(package)
        after = (package / edit.file).read_text()
        assert before != after
        compile(after, edit.file, "exec")


def test_text_that_is_not_there_any_more_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one\ntwo\ntwo\n")
    for old in ("three", "two"):
        with pytest.raises(MutationError, match=r"a\.py"):
            Edit("a.py", old, "four").apply(tmp_path)
    Edit("a.py", "one", "1").apply(tmp_path)
    assert (tmp_path / "a.py").read_text() == "1\ntwo\ntwo\n"
