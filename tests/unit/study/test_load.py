"""Reading a study file: `extends`, and messages that name file, line, what was expected and what was found."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.errors import StudyError, WardlightError
from pipeline.paths import DATA
from pipeline.study.load import find_study, load_study
from tests.conftest import WriteStudy
from tests.synthetic import SECTIONS, with_item


def _message(path: Path) -> str:
    with pytest.raises(StudyError) as caught:
        load_study(path)
    return str(caught.value)


def _line_of(path: Path, text: str) -> int:
    return next(i for i, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1) if text in line)


def test_a_study_is_found_by_id_by_folder_and_by_file(write_study: WriteStudy, tmp_path: Path) -> None:
    path = write_study(tmp_path)
    assert find_study("support2") == DATA / "support2" / "study.yaml"
    assert find_study(tmp_path) == find_study(path) == path


def test_a_study_that_is_not_there_is_named_beside_those_that_are() -> None:
    with pytest.raises(StudyError) as caught:
        load_study("no-such-study")
    assert "got: no-such-study" in str(caught.value)
    assert "support2" in str(caught.value)


def test_an_unknown_key_is_refused_with_its_line(write_study: WriteStudy, tmp_path: Path) -> None:
    path = write_study(tmp_path, **with_item("features", 2, colour="red-of-lactate"))
    message = _message(path)
    line = _line_of(path, "red-of-lactate")
    assert f"study.yaml line {line}: features.2.colour: this key is not known, got: 'red-of-lactate'" in message
    assert "got: 1 problem\n" in message
    assert "to mend it: edit these lines" in message


def test_an_unknown_section_is_refused_with_its_line(write_study: WriteStudy, tmp_path: Path) -> None:
    path = write_study(tmp_path, surprise="boo")
    assert f"study.yaml line {_line_of(path, 'surprise')}: surprise: this key is not known" in _message(path)


def test_the_section_that_the_code_fills_in_itself_is_unknown_in_a_file(
    write_study: WriteStudy, tmp_path: Path
) -> None:
    path = write_study(tmp_path)
    path.write_text(path.read_text(encoding="utf-8") + "folder: /elsewhere\n", encoding="utf-8")
    assert "folder: this key is not known" in _message(path)


@pytest.mark.parametrize("text", ["id: a\nid: b\n", "id: a\nfeatures:\n- {id: x, label: a,\n   label: b}\n"])
def test_a_repeated_key_is_refused_with_the_line_of_its_second_place(tmp_path: Path, text: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(text, encoding="utf-8")
    assert f"study.yaml line {len(text.splitlines())}: expected each key once" in _message(path)


def test_a_wrong_value_is_shown_with_its_line(write_study: WriteStudy, tmp_path: Path) -> None:
    path = write_study(tmp_path, **with_item("features", 2, decimals="many"))
    message = _message(path)
    assert f"study.yaml line {_line_of(path, 'many')}: features.2.decimals: " in message
    assert "got: 'many'" in message


def test_an_impossible_range_is_refused_with_the_line_of_the_range(write_study: WriteStudy, tmp_path: Path) -> None:
    path = write_study(tmp_path, **with_item("features", 2, plausible=[20.5, 0.25]))
    message = _message(path)
    assert "a range needs its lower end first" in message
    assert f"line {_line_of(path, '20.5')}:" in message


def test_all_problems_are_told_at_once(write_study: WriteStudy, tmp_path: Path) -> None:
    message = _message(write_study(tmp_path, era="", surprise=1, id="No Id"))
    assert "got: 3 problems" in message
    assert all(f": {section}: " in message for section in ("era", "surprise", "id"))


def test_of_very_many_problems_the_rest_is_counted(write_study: WriteStudy, tmp_path: Path) -> None:
    extra: dict[str, Any] = {f"extra{i}": i for i in range(12)}
    message = _message(write_study(tmp_path, **extra))
    assert "got: 12 problems, 4 of them not listed" in message


def test_a_missing_section_is_named(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump({k: v for k, v in SECTIONS.items() if k != "splits"}), encoding="utf-8")
    assert "splits: Field required" in _message(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "expected sections"),
        ("- a\n- b\n", "expected sections"),
        ("id: [a\n", "line 2: expected valid YAML"),
        ("id: a\n\tb: c\n", "line 2: expected valid YAML"),
        ("id: a\n---\nid: b\n", "line 2: expected valid YAML"),
    ],
)
def test_a_file_that_is_not_yaml_with_sections_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(text, encoding="utf-8")
    assert expected in _message(path)


@pytest.mark.parametrize(
    "text",
    [
        "id: !foo bar\n",
        "id: !!python/object:os.system bar\n",
        "era: 2001-13-45\n",
        "? [a, b]\n: c\n",
        "a: &a [*a]\n",
    ],
    ids=["unknown tag", "python tag", "impossible date", "list as a key", "a list in itself"],
)
def test_yaml_that_has_no_meaning_here_is_one_message_too(tmp_path: Path, text: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(WardlightError):
        load_study(path)


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes("id: hôpital\n".encode("latin-1"))
    assert "expected UTF-8 text" in _message(path)


def test_a_file_that_cannot_be_read_is_one_message_too() -> None:
    # The first byte of a process's memory cannot be read by anybody.
    with pytest.raises(WardlightError):
        load_study("/proc/self/mem")


def test_levels_written_as_yes_no_and_numbers_stay_text(tmp_path: Path, write_study: WriteStudy) -> None:
    path = write_study(tmp_path)
    text = path.read_text(encoding="utf-8").replace("male: man", "no: not ill").replace("female: woman", "1: ill")
    path.write_text(text, encoding="utf-8")
    assert load_study(path).feature("sex").levels == {"no": "not ill", "1": "ill"}


def test_a_study_takes_the_sections_it_does_not_name_from_the_one_it_extends(
    write_study: WriteStudy, tmp_path: Path
) -> None:
    parent = write_study(tmp_path / "parent")
    child = tmp_path / "child" / "study.yaml"
    child.parent.mkdir()
    child.write_text("extends: ../parent/study.yaml\nid: child\nbaselines: []\n", encoding="utf-8")
    study, original = load_study(child), load_study(parent)
    assert (study.id, study.baselines) == ("child", [])
    assert study.features == original.features
    assert study.folder == child.parent


def test_a_problem_in_a_section_of_the_parent_names_the_parents_file(write_study: WriteStudy, tmp_path: Path) -> None:
    parent = write_study(tmp_path / "parent", **with_item("features", 2, colour="red-of-lactate"))
    parent = parent.rename(parent.with_name("parent.yaml"))
    child = tmp_path / "child.yaml"
    child.write_text("extends: parent/parent.yaml\nid: child\n", encoding="utf-8")
    assert f"parent.yaml line {_line_of(parent, 'red-of-lactate')}: features.2.colour" in _message(child)


@pytest.mark.parametrize("parent", ["nothing.yaml", "study.yaml", "."])
def test_extending_nothing_or_itself_is_refused(tmp_path: Path, parent: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_text(f"extends: {parent}\nid: a\n", encoding="utf-8")
    assert "`extends` must name another study file" in _message(path)


def test_two_studies_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("extends: b.yaml\n", encoding="utf-8")
    (tmp_path / "b.yaml").write_text("extends: a.yaml\n", encoding="utf-8")
    with pytest.raises(WardlightError):
        load_study(tmp_path / "a.yaml")
