"""What people see, as text for a terminal: Slack's messages and modals, an issue, a ticket's conversation."""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from rich.console import Console
from rich.text import Text

from integrations.sandbox.story import BOT, PEOPLE

Json = dict[str, Any]

WIDTH = 100
"""Columns: a longer line is hard to read."""

NAMES = {person.id: person.short for person in (*PEOPLE, BOT)}

_LINK = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")
_BOLD = re.compile(r"(?<![\w*])\*([^*\n]+)\*(?![\w*])")
_HIDDEN = re.compile(r"<!--.*?-->\n?|</?sub>|\*\*|^#+ |^\|[ |-]*\|\n", re.DOTALL | re.MULTILINE)
_MARKDOWN_LINK = re.compile(r"(?<!\\)\[((?:\\.|[^\]\\])*)\]\([^()]*\)")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


class Teller:
    """Prints a play step by step; in a terminal with colours and with what is waited for, elsewhere as bare lines."""

    def __init__(self, steps: int, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False)
        self._steps = steps
        self._number = 0
        self._quoted: set[str] = set()

    def step(self, title: str) -> None:
        self._number += 1
        self._console.print()
        self._line(f"{self._number}/{self._steps}  {title}", "bold")

    def does(self, sentence: str) -> None:
        """Somebody does something."""
        self._lines("  → ", sentence, "    ", "cyan")

    def sees(self, where: str, text: str) -> None:
        """Somebody sees this, there. A long quote that was printed before is cut short."""
        self._lines("  ", where, "    ", "italic")
        for line in self._briefly(text.strip().splitlines()):
            hanging = line[: len(line) - len(line.lstrip(" >•"))].replace("•", " ")
            self._lines("  │ ", line, f"  │ {hanging}")

    def happened(self, sentence: str) -> None:
        """This was looked at where it had to happen, and it did."""
        self._lines("  ✓ ", sentence, "    ", "green")

    def waiting(self, what: str) -> AbstractContextManager[Any]:
        """Shows what is waited for, where that can be taken away again."""
        return self._console.status(Text(what)) if self._console.is_terminal else nullcontext()

    def end(self, lines: list[str], last: str) -> None:
        self._console.print()
        for line in lines:
            self._lines("", line, " " * 14)
        self._console.print()
        self._line(last, "bold green")

    def _lines(self, first: str, text: str, then: str, style: str = "") -> None:
        """The text with `first` before its first line and `then` before the others."""
        width = min(self._console.width, WIDTH)
        wrapped = textwrap.wrap(text, width, initial_indent=first, subsequent_indent=then, break_on_hyphens=False)
        for line in wrapped or [first]:
            self._line(line.rstrip(), style)

    def _line(self, text: str, style: str = "") -> None:
        self._console.print(Text(text, style), soft_wrap=True)

    def _briefly(self, lines: list[str]) -> Iterator[str]:
        for quote, found in itertools.groupby(lines, lambda line: line.startswith(">")):
            run = list(found)
            if quote and len(run) > 2:
                known = "\n".join(run) in self._quoted
                self._quoted.add("\n".join(run))
                run = [*run[:2], "> …"] if known else run
            yield from run


# --- Slack ------------------------------------------------------------------------------------------------------------


def message(said: Json) -> str:
    """A message as it stands in a conversation."""
    return "\n".join(_blocks(said["blocks"], {})) if said.get("blocks") else _mrkdwn(str(said.get("text", "")))


def modal(view: Json) -> str:
    """A modal as it is filled now, with its buttons under it."""
    faces = [view[key]["text"] for key in ("submit", "close") if view.get(key)]
    return "\n".join([f"«{view['title']['text']}»", *_blocks(view["blocks"], view["state"]["values"]), _buttons(faces)])


def _blocks(blocks: list[Json], typed: Json) -> Iterator[str]:
    for block in blocks:
        match block["type"]:
            case "header":
                yield str(block["text"]["text"])
            case "section":
                accessory = block.get("accessory", {}).get("text", {}).get("text", "")
                yield _mrkdwn(block["text"]["text"]) + (f"  {_buttons([accessory])}" if accessory else "")
            case "context":
                yield " ".join(element["text"] for element in block["elements"])
            case "rich_text":
                for element in block["elements"]:
                    yield from _rich(element)
            case "actions":
                yield _buttons([element["text"]["text"] for element in block["elements"]])
            case "input":
                yield _input(block, typed.get(block["block_id"], {}))


def _rich(element: Json) -> Iterator[str]:
    if element["type"] == "rich_text_list":
        for item in element["elements"]:
            yield from (f"• {line}" for line in _rich(item))
        return
    text = "".join(map(_run, element["elements"]))
    quoted = "> " if element["type"] == "rich_text_quote" else ""
    yield from (quoted + line for line in text.splitlines())


def _run(run: Json) -> str:
    said = run.get("text") or run.get("url") or run.get("fallback")
    return str(said or _called(f"@{run['user_id']}"))


def _input(block: Json, typed: Json) -> str:
    state: Json = next(iter(typed.values()), {})
    chosen = [state.get("selected_option"), *(state.get("selected_options") or [])]
    value = state.get("value") or ", ".join(option["text"]["text"] for option in chosen if option)
    if block["element"]["type"] == "checkboxes":
        offered = block["element"]["options"]
        value = " ".join(f"[{'x' if option in chosen else ' '}] {option['text']['text']}" for option in offered)
    return f"{block['label']['text']}: {value or '____'}"


def _buttons(faces: list[str]) -> str:
    return " ".join(f"[{face}]" for face in faces)


def _mrkdwn(text: str) -> str:
    plain = _BOLD.sub(r"\1", _LINK.sub(lambda match: match[2] or _called(match[1]), text))
    return plain.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _called(target: str) -> str:
    return "@" + NAMES.get(target[1:], target[1:]) if target.startswith("@") else target


# --- the tracker and the helpdesk -------------------------------------------------------------------------------------


def issue(shown: Json) -> str:
    """An issue's page on GitHub: title, labels, assignees and text."""
    people = [f"assigned to {user['login']}" for user in shown["assignees"]]
    about = ", ".join([shown["state"], *(label["name"] for label in shown["labels"]), *people])
    return f"{shown['title']} #{shown['number']} ({about})\n\n{markdown(shown['body'])}"


def gitlab_issue(shown: Json) -> str:
    """The same on GitLab, which says who may read it."""
    people = [f"assigned to {user['username']}" for user in shown["assignees"]]
    readers = ["confidential"] if shown["confidential"] else []
    about = ", ".join([shown["state"], *readers, *shown["labels"], *people])
    return f"{shown['title']} #{shown['iid']} ({about})\n\n{markdown(shown['description'] or '')}"


def markdown(text: str) -> str:
    """Markdown as its page shows it, as far as bare text can."""
    return _ESCAPED.sub(r"\1", _MARKDOWN_LINK.sub(r"\1", _HIDDEN.sub("", text))).strip()


def ticket(shown: Json) -> str:
    """A ticket's conversation; who reads what stands at each turn."""
    turns = [f"Ticket {shown['number']}: {shown['subject']}"]
    for turn in shown["comments"]:
        to = "" if turn["role"] == "customer" else ", to the customer" if turn["public"] else ", a note for agents only"
        turns += ["", f"{turn['author']}{to}:", *(f"  {line}" for line in markdown(turn["body"]).splitlines() if line)]
    return "\n".join(turns)
