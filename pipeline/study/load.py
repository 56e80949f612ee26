"""Reading a study file, with messages that name file, line, what was expected and what was found."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from pipeline.errors import StudyError
from pipeline.paths import DATA
from pipeline.study.model import Study

Node = yaml.nodes.Node


def load_study(name: str | Path) -> Study:
    """The validated study of an id under `data/` or of a path to a `study.yaml`.

    A study may say `extends: PATH`; it then takes every top-level section that it does not name itself from there.

    Raises:
        StudyError: no such file, not YAML, an unknown key, or sections that contradict each other.
    """
    path = find_study(name)
    sections = _read_sections(path, seen=())
    values = {key: _construct(node, file) for key, (file, node) in sections.items()}
    try:
        return Study.model_validate({**values, "folder": path.parent})
    except ValidationError as error:
        raise _as_study_error(error, path, sections) from None


def find_study(name: str | Path) -> Path:
    """The path of the study file that `name` means."""
    path = Path(name)
    candidates = [path, path / "study.yaml", DATA / path / "study.yaml"]
    for candidate in candidates:
        if candidate.is_file():
            return candidate.resolve()
    known = sorted(p.parent.name for p in DATA.glob("*/study.yaml"))
    raise StudyError(
        "expected a study: an id under data/ or the path of a study.yaml",
        got=str(name),
        mend=f"use one of {', '.join(known) or 'no study is there yet'}, or a path that exists",
    )


def _read_sections(path: Path, *, seen: tuple[Path, ...]) -> dict[str, tuple[Path, Node]]:
    """The top-level sections of a study file, each with the file and node it comes from."""
    root = _compose(path)
    if not isinstance(root, yaml.MappingNode):
        raise StudyError(f"{path.name}: expected sections such as `id:` and `source:`", got="no mapping at the top")
    _refuse_repeated_keys(root, path)
    own = {str(key.value): (path, value) for key, value in root.value}
    if "folder" in own:
        raise StudyError(f"{path.name} line {own['folder'][1].start_mark.line + 1}: folder: this key is not known")
    if "extends" not in own:
        return own
    parent = path.parent / str(own.pop("extends")[1].value)
    if not parent.is_file() or parent.resolve() in (path, *seen):
        raise StudyError(
            f"{path.name}: `extends` must name another study file, one that does not extend this one",
            got=str(parent),
        )
    return {**_read_sections(parent.resolve(), seen=(*seen, path)), **own}


def _compose(path: Path) -> Node | None:
    try:
        return yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise StudyError(f"{path.name}: expected UTF-8 text", got=f"byte {error.start} is not") from None
    except OSError as error:
        raise StudyError(f"expected to read {path}", got=error.strerror, mend="check the file's rights") from None
    except yaml.YAMLError as error:
        raise _bad_yaml(path, error) from None


def _bad_yaml(path: Path, error: Exception, line: int | None = None) -> StudyError:
    where = getattr(error, "problem_mark", None)
    line = where.line + 1 if where else line
    return StudyError(
        f"{path.name}{f' line {line}' if line else ''}: expected valid YAML",
        got=getattr(error, "problem", None) or error,
        mend="check indentation, quotes and brackets there",
    )


def _refuse_repeated_keys(node: Node, path: Path, above: tuple[Node, ...] = ()) -> None:
    if node in above:
        raise StudyError(f"{path.name} line {node.start_mark.line + 1}: expected no list or section inside itself")
    children: list[Node] = list(node.value) if isinstance(node, yaml.SequenceNode) else []
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            line = f"{path.name} line {key.start_mark.line + 1}"
            if not isinstance(key, yaml.ScalarNode):
                raise StudyError(f"{line}: expected words before the colon", got="a list or section")
            if key.value in seen:
                raise StudyError(f"{line}: expected each key once", got=f"`{key.value}` again")
            seen.add(key.value)
            children.append(value)
    for child in children:
        _refuse_repeated_keys(child, path, (*above, node))


class _Loader(yaml.SafeLoader):
    """YAML 1.1 reads `yes` and `no` as truth values; keys of levels must stay the text they are."""


def _construct_mapping(loader: Any, node: Any) -> dict[str, Any]:
    return {str(key.value): loader.construct_object(value, deep=True) for key, value in node.value}


_Loader.add_constructor("tag:yaml.org,2002:map", _construct_mapping)


def _construct(node: Node, file: Path) -> Any:
    loader = _Loader("")
    try:
        return loader.construct_object(node, deep=True)
    except (yaml.YAMLError, ValueError, TypeError) as error:
        raise _bad_yaml(file, error, node.start_mark.line + 1) from None
    finally:
        loader.dispose()


def _as_study_error(error: ValidationError, path: Path, sections: dict[str, tuple[Path, Node]]) -> StudyError:
    """All problems in one message, each with its file and line."""
    problems = [_describe(problem, path, sections) for problem in error.errors()[:8]]
    count = error.error_count()
    more = f", {count - len(problems)} of them not listed" if count > len(problems) else ""
    return StudyError(
        "expected a study file without contradictions:\n  " + "\n  ".join(problems),
        got=f"{count} problem{'s' * (count > 1)}{more}",
        mend="edit these lines and run `wardlight check` again",
    )


def _describe(problem: Any, path: Path, sections: dict[str, tuple[Path, Node]]) -> str:
    keys = [key for key in problem["loc"] if key != "[key]"]
    file, line = _locate(keys, path, sections)
    name = ".".join(map(str, keys)) or "study"
    message = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "extra_forbidden":
        message = "this key is not known"
    found = problem["input"]
    shown = f", got: {found!r}" if isinstance(found, (str, int, float, bool)) and problem["type"] != "missing" else ""
    return f"{file.name} line {line}: {name}: {message}{shown}"


def _locate(keys: list[Any], path: Path, sections: dict[str, tuple[Path, Node]]) -> tuple[Path, int]:
    """File and line (from 1) of the deepest node that the path of keys reaches."""
    if not keys or str(keys[0]) not in sections:
        return path, 1
    file, node = sections[str(keys[0])]
    for key in keys[1:]:
        child = _child(node, key)
        if child is None:
            break
        node = child
    return file, node.start_mark.line + 1


def _child(node: Node, key: Any) -> Node | None:
    children: list[Node] = []
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int):
        children = node.value[key : key + 1]
    elif isinstance(node, yaml.MappingNode):
        children = [value for k, value in node.value if k.value == str(key)]
    return children[0] if children else None
