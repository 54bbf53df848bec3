"""Reads a YAML file into plain data, and turns whatever is wrong with it into findings a person can act on.

Values never stand in a finding: any of them may be a secret by the time it is looked at.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from importlib.resources.abc import Traversable
from typing import Any, get_args

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticCustomError

from integrations.base import Finding

Key = tuple[int | str, ...]
"""The way from the top of the file to a value: ("projects", 0, "repository")."""


class SettingsError(Exception):
    """The configuration cannot be used; `findings` holds everything that is wrong with it, never a secret."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(f"{found.where}: {found.problem}. {found.mend}" for found in findings))
        self.findings = tuple(findings)


def wrong(problem: str, mend: str) -> PydanticCustomError:
    """What a validator raises: `problem` completes "this key …", `mend` is a sentence."""
    return PydanticCustomError("wrong", "{problem}", {"problem": problem, "mend": mend})


def dotted(key: Key) -> str:
    """The key as people write it: `projects[0].repository`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key if part != "[key]")
    return text.removeprefix(".") or "the file"


def place(key: Key, file: str = "") -> str:
    """Where a finding is, for people: the file when there is one, then the key."""
    return f"{file}: {dotted(key)}" if file else dotted(key)


# --- the file ---------------------------------------------------------------------------------------------------------


class _Loader(yaml.SafeLoader):
    """YAML as is, except that a key standing twice in one section is an error instead of the last one winning."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode):
                if key.value in seen:
                    raise yaml.constructor.ConstructorError(
                        None, None, f"`{key.value}` stands twice in the same section", key.start_mark
                    )
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def read(file: Traversable) -> dict[str, Any]:
    """The file's content; raises SettingsError when it is missing, no YAML, or no set of sections."""
    name = str(file)
    try:
        data = yaml.load(file.read_text(encoding="utf-8"), _Loader)  # noqa: S506 (a SafeLoader)
    except FileNotFoundError:
        mend = "Write one (config/example.yaml shows every option), or set PASSERELLE_CONFIG to where it is."
        raise SettingsError([Finding(name, "there is no such file", mend)]) from None
    except IsADirectoryError:
        raise SettingsError([Finding(name, "is a folder", "Set PASSERELLE_CONFIG to the file in it.")]) from None
    except UnicodeDecodeError:
        raise SettingsError([Finding(name, "is not UTF-8 text", "Save it with UTF-8 encoding.")]) from None
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
        raise SettingsError([Finding(name, problem, "Give Passerelle permission to read this file.")]) from None
    except yaml.YAMLError as error:
        raise SettingsError([_syntax(name, error)]) from None
    if not isinstance(data, dict):
        mend = "Start from config/example.yaml: sections such as `slack:`, `trackers:` and `projects:`."
        raise SettingsError([Finding(name, "holds no sections", mend)])
    return data


_SYNTAX = {
    "<block end>": "is indented otherwise than the lines it belongs to",
    "'\\t' that cannot": "is indented with a tab",
    "mapping values": "holds a `: ` where none can be, or is indented too far",
    "find expected ':'": "is neither `key: value` nor an item after `- `",
    "expected ',' or": "comes after a `{` or `[` that is not closed",
    "end of stream": "comes after a quote that is not closed",
    "alphabetic or numeric": "begins with `*`, `&` or `!`, which mean something of their own",
}
"""What the parser says, by a part of it, in our words; another problem stands as it is."""


def _syntax(name: str, error: yaml.YAMLError) -> Finding:
    mend = "Indent with spaces, and put a value that holds `{`, `#`, `@`, `*` or `: ` between quotes."
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return Finding(name, "is not valid YAML", mend)
    line, column = error.problem_mark.line + 1, error.problem_mark.column + 1
    said = error.problem or "is not valid YAML"
    if "twice" in said:
        mend = "Keep one of the two."
    problem = next((ours for part, ours in _SYNTAX.items() if part in said), said)
    return Finding(f"{name}, line {line}, column {column}", problem, mend)


_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_BARE = re.compile(r"\$[A-Z][A-Z0-9_]+")


def fill(data: Any, environ: Mapping[str, str], key: Key = ()) -> tuple[Any, dict[Key, tuple[str, str]]]:
    """`data` with each `${NAME}` in its text replaced, and what is wrong by key: (problem, mend).

    White space around what a variable holds is no part of it: a file of variables may end its lines as Windows does.
    """
    if isinstance(data, dict):
        filled = {name: fill(value, environ, (*key, str(name))) for name, value in data.items()}
        return {name: value for name, (value, _) in filled.items()}, _merged(unset for _, unset in filled.values())
    if isinstance(data, list):
        items = [fill(value, environ, (*key, index)) for index, value in enumerate(data)]
        return [value for value, _ in items], _merged(unset for _, unset in items)
    if not isinstance(data, str):
        return data, {}
    if _BARE.fullmatch(data):
        return data, {key: ("looks like a variable, which would not be filled in", 'Write it as "${NAME}".')}
    for name in _PLACEHOLDER.findall(data):
        if not environ.get(name, "").strip():
            return data, {key: (f"asks for ${{{name}}}, which is not set", f"Set the environment variable {name}.")}
    return _PLACEHOLDER.sub(lambda found: environ[found[1]].strip(), data), {}


def _merged(parts: Any) -> dict[Key, tuple[str, str]]:
    return {key: told for part in parts for key, told in part.items()}


# --- what pydantic says, in our words ---------------------------------------------------------------------------------


_WORDS = {
    "string_type": ("must be text", "Write text; put it between quotes if it looks like a number."),
    "tuple_type": ("must be a list", "Write [one, two], or a line for each that begins with `- `."),
    "list_type": ("must be a list", "Write [one, two], or a line for each that begins with `- `."),
    "dict_type": ("must be a section", "Write options of its own under it, as config/example.yaml does."),
    "model_type": ("must be a section", "Write options of its own under it, as config/example.yaml does."),
    "bool_parsing": ("must be true or false", "Write true or false."),
    "bool_type": ("must be true or false", "Write true or false."),
    "int_parsing": ("must be a whole number", "Write a whole number."),
    "int_type": ("must be a whole number", "Write a whole number."),
    "float_parsing": ("must be a number", "Write a number."),
    "int_from_float": ("must be a whole number", "Write a whole number."),
    "date_type": ("is no day", "Write a day as 2026-11-01."),
    "date_from_datetime_inexact": ("is a day and a time", "Write the day alone, as 2026-11-01."),
    "too_short": ("is empty", "Write at least one."),
    "string_too_short": ("is empty", "Write something there, or leave the option out."),
}


def findings(error: ValidationError, model: type[BaseModel], file: str = "", under: Key = ()) -> dict[Key, Finding]:
    """One finding for each error, by its key below `under`; `file` is named in front when there is one."""
    found = {}
    details = error.errors(include_url=False)
    holders = {detail["loc"][:depth] for detail in details for depth in range(len(detail["loc"]))}
    for detail in details:
        if detail["type"] == "too_short" and detail["loc"] in holders:
            continue  # pydantic counts only the valid ones; what is wrong with the others is told
        key: Key = (*under, *detail["loc"])
        owner, field = _at(model, detail["loc"])
        problem, mend = _say(detail, owner, field)
        found[key] = Finding(place(key, file), problem, mend)
    return found


def _say(detail: ErrorDetails, owner: type[BaseModel], field: FieldInfo | None) -> tuple[str, str]:
    kind, context = detail["type"], detail.get("ctx", {})
    what = (field.description or "") if field else ""
    if kind == "wrong":
        return detail["msg"], context["mend"]
    if kind == "extra_forbidden":
        return "is not an option", nearest(str(detail["loc"][-1]), owner.model_fields)
    if kind == "missing":
        return "is missing", f"Add it: {what}." if what else "Add it."
    if kind in ("literal_error", "enum"):
        return "is not one of the possible values", f"Write {context['expected']}."
    if detail["input"] is None:
        return "holds nothing", "Write something there, between quotes if it begins with #, or take it out."
    if kind in ("less_than_equal", "greater_than_equal"):
        most = kind == "less_than_equal"
        return (
            f"is too {'large' if most else 'small'}",
            f"Write {context['le' if most else 'ge']} or {'less' if most else 'more'}.",
        )
    if kind in _WORDS:
        return _WORDS[kind]
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return message[:1].lower() + message[
        1:
    ], f"Correct it: {what}." if what else "Correct it, as config/example.yaml does."


def nearest(name: str, names: Mapping[str, object] | Sequence[str]) -> str:
    """The mend for a name that is none of `names`: the one that was probably meant, else all of them."""
    close = difflib.get_close_matches(name, list(names), n=1, cutoff=0.5)
    if close:
        return f"Did you mean `{close[0]}`?"
    return f"Remove it; there {'are' if len(names) > 1 else 'is'} {', '.join(f'`{each}`' for each in names)}."


def _at(model: type[BaseModel], key: Key) -> tuple[type[BaseModel], FieldInfo | None]:
    """The model that holds `key`, and the field it names, if it names one."""
    owner, field = model, None
    for part in key:
        if isinstance(part, str) and part in owner.model_fields:
            field = owner.model_fields[part]
            inner = _model_in(field.annotation)
            if inner is None or part == key[-1]:
                break
            owner = inner
    return owner, field if field is not None and key and key[-1] in owner.model_fields else None


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for each in get_args(annotation) if (found := _model_in(each)) is not None), None)
