"""Slack's limits on blocks and views, as its Block Kit reference pages document them. Pure.

Each problem is worded as Slack words it in `response_metadata.messages`: a sentence and a JSON pointer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from integrations.sandbox import charts

Json = dict[str, Any]

MESSAGE_CHARACTERS = 13_200
"""What all blocks of one message may hold together (bolt-js issue 2509); more is `msg_blocks_too_long`."""

SELECTS = frozenset(
    f"{many}{kind}_select"
    for many in ("", "multi_")
    for kind in ("static", "external", "users", "conversations", "channels")
)
TYPED = frozenset({"plain_text_input", "number_input", "email_text_input", "url_text_input", "rich_text_input"})
PICKED = frozenset({"radio_buttons", "checkboxes", "datepicker", "timepicker", "datetimepicker"})
STATEFUL = SELECTS | TYPED | PICKED
"""The elements whose value a person sets, which Slack keeps in a view's state."""

_PRESSED = frozenset({"button", "overflow", "workflow_button"})
_LIGHT = frozenset({"file", "video", "call", "card", "carousel", "container", "alert", "context_actions"})
_MESSAGE_ONLY = frozenset({"markdown", "table", "file", "card", "carousel", "data_visualization", "context_actions"})
_MODAL_ONLY = frozenset({"alert"})
_VIEW_KEYS = frozenset(
    {"type", "title", "blocks", "close", "submit", "private_metadata", "callback_id", "external_id"}
    | {"clear_on_close", "notify_on_close", "submit_disabled"}
)


def problems(blocks_or_view: Any) -> list[str]:
    """What Slack would refuse in a message's list of blocks or in a view; [] when it would take them."""
    found = _Findings()
    if isinstance(blocks_or_view, dict):
        _view(found, blocks_or_view)
    elif isinstance(blocks_or_view, list):
        _blocks(found, blocks_or_view, "/blocks", surface="message", most=50)
    else:
        found.add("", "must provide an array of blocks or a view object")
    return found.sentences


def characters(value: Any) -> int:
    """How many characters of text stand in blocks, over all depths."""
    if isinstance(value, dict):
        return sum(len(v) if k == "text" and isinstance(v, str) else characters(v) for k, v in value.items())
    return sum(characters(item) for item in value) if isinstance(value, list) else 0


def elements(blocks: list[Json]) -> Iterator[tuple[Json, Json]]:
    """Each interactive element with the block it stands in, from top to bottom."""
    for block in blocks:
        inside = [block.get("element"), block.get("accessory")]
        if _kind(block) in ("actions", "context_actions"):
            inside += _dicts(block.get("elements"))
        for element in inside:
            if isinstance(element, dict) and _kind(element) != "image":
                yield block, element


def options(element: Json) -> list[Json]:
    """The options that an element offers by itself, those in groups included."""
    holders = [element, *_dicts(element.get("option_groups"))]
    return [option for holder in holders for option in _dicts(holder.get("options"))]


def _kind(value: Any) -> str:
    kind = value.get("type") if isinstance(value, dict) else None
    return kind if isinstance(kind, str) else ""


def _dicts(value: Any) -> list[Json]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


class _Findings:
    def __init__(self) -> None:
        self.sentences: list[str] = []

    def add(self, at: str, sentence: str) -> None:
        self.sentences.append(f"{sentence} [json-pointer:{at or '/'}]")

    def string(self, holder: Json, key: str, at: str, most: int, *, least: int = 0, needed: bool = False) -> None:
        value = holder.get(key)
        if value is None:
            if needed:
                self.add(at, f"missing required field: {key}")
        elif not isinstance(value, str):
            self.add(f"{at}/{key}", "must be a string")
        else:
            self.length(value, f"{at}/{key}", most, least)

    def length(self, value: str, at: str, most: int, least: int = 1) -> None:
        if len(value) > most:
            self.add(at, f"must be less than {most + 1} characters")
        if len(value) < least:
            self.add(at, f"must be more than {least - 1} characters")

    def count(self, holder: Json, key: str, at: str, most: int, least: int = 1) -> list[Any]:
        value = holder.get(key)
        if not isinstance(value, list):
            self.add(at, f"missing required field: {key}")
            return []
        if len(value) > most:
            self.add(f"{at}/{key}", f"no more than {most} items allowed")
        if len(value) < least:
            self.add(f"{at}/{key}", f"no fewer than {least} items allowed")
        return value

    def text(self, holder: Json, key: str, at: str, most: int, *, plain: bool = True, needed: bool = True) -> None:
        value = holder.get(key)
        if value is None:
            if needed:
                self.add(at, f"missing required field: {key}")
            return
        self.text_object(value, f"{at}/{key}", most, plain=plain)

    def text_object(self, value: Any, at: str, most: int, *, plain: bool) -> None:
        kinds = ("plain_text",) if plain else ("plain_text", "mrkdwn")
        if not isinstance(value, dict) or value.get("type") not in kinds:
            self.add(at, f"must be an object of type {' or '.join(kinds)}")
            return
        if extra := set(value) - {"type", "text", "emoji", "verbatim"}:
            self.add(at, f"invalid additional property: {min(extra)}")
        if "emoji" in value and value["type"] == "mrkdwn":
            self.add(at, "invalid additional property: emoji")
        if not isinstance(value.get("text"), str):
            self.add(at, "missing required field: text")
        else:
            self.length(value["text"], f"{at}/text", most)


def _view(found: _Findings, view: Json) -> None:
    kind, at = view.get("type"), "/view"
    if kind not in ("modal", "home"):
        found.add(f"{at}/type", "must be modal or home")
    if extra := set(view) - _VIEW_KEYS:
        found.add(at, f"invalid additional property: {min(extra)}")
    if kind == "modal":
        found.text(view, "title", at, 24)
        found.text(view, "submit", at, 24, needed=False)
        found.text(view, "close", at, 24, needed=False)
    found.string(view, "private_metadata", at, 3000)
    found.string(view, "callback_id", at, 255)
    found.string(view, "external_id", at, 255)
    blocks = found.count(view, "blocks", at, 100, least=0)
    _blocks(found, blocks, f"{at}/blocks", surface=str(kind), most=100)
    inputs = any(_kind(block) == "input" for block in blocks)
    if kind == "modal" and inputs and not view.get("submit"):
        found.add(at, "missing required field: submit (a modal with an input block needs it)")


def _blocks(found: _Findings, blocks: list[Any], at: str, *, surface: str, most: int) -> None:
    if len(blocks) > most and surface == "message":
        found.add(at, f"no more than {most} items allowed")
    if sum(_kind(block) == "data_visualization" for block in blocks) > charts.MOST:
        found.add(at, f"no more than {charts.MOST} data_visualization blocks allowed")
    block_ids: set[str] = set()
    for i, block in enumerate(blocks):
        here = f"{at}/{i}"
        if not isinstance(block, dict):
            found.add(here, "must be an object")
            continue
        found.string(block, "block_id", here, 255, least=1)
        if isinstance(block_id := block.get("block_id"), str):
            if block_id in block_ids:
                found.add(f"{here}/block_id", f"`block_id` {block_id} already exists for another block")
            block_ids.add(block_id)
        kind = _kind(block)
        refused = _MESSAGE_ONLY if surface != "message" else _MODAL_ONLY
        if (kind not in _CHECKS and kind not in _LIGHT) or kind in refused:
            found.add(f"{here}/type", f"unsupported type: {kind}")
        elif kind in _CHECKS:
            _CHECKS[kind](found, block, here)
        _unique_actions(found, block, here)


def _unique_actions(found: _Findings, block: Json, at: str) -> None:
    seen: set[str] = set()
    for _, element in elements([block]):
        if not isinstance(action_id := element.get("action_id"), str):
            continue
        if action_id in seen:
            found.add(at, f"`action_id` {action_id} already exists for another element")
        seen.add(action_id)


def _section(found: _Findings, block: Json, at: str) -> None:
    if "text" not in block and "fields" not in block:
        found.add(at, "must define either `text` or `fields`")
    found.text(block, "text", at, 3000, plain=False, needed=False)
    if "fields" in block:
        for i, field in enumerate(found.count(block, "fields", at, 10)):
            found.text_object(field, f"{at}/fields/{i}", 2000, plain=False)
    if "accessory" in block:
        _element(found, block["accessory"], f"{at}/accessory", (STATEFUL - TYPED) | _PRESSED | {"image"})


def _header(found: _Findings, block: Json, at: str) -> None:
    found.text(block, "text", at, 150)


def _context(found: _Findings, block: Json, at: str) -> None:
    for i, element in enumerate(found.count(block, "elements", at, 10)):
        here = f"{at}/elements/{i}"
        if _kind(element) == "image":
            _image(found, element, here)
        else:
            found.text_object(element, here, 3000, plain=False)


def _actions(found: _Findings, block: Json, at: str) -> None:
    for i, element in enumerate(found.count(block, "elements", at, 25)):
        _element(found, element, f"{at}/elements/{i}", (STATEFUL - TYPED) | _PRESSED)


def _input(found: _Findings, block: Json, at: str) -> None:
    found.text(block, "label", at, 2000)
    found.text(block, "hint", at, 2000, needed=False)
    _element(found, block.get("element"), f"{at}/element", STATEFUL)


def _image(found: _Findings, block: Json, at: str) -> None:
    if "slack_file" not in block:
        found.string(block, "image_url", at, 3000, least=1, needed=True)
    found.string(block, "alt_text", at, 2000, needed=True)
    found.text(block, "title", at, 2000, needed=False)


def _markdown(found: _Findings, block: Json, at: str) -> None:
    found.string(block, "text", at, 12_000, least=1, needed=True)


def _table(found: _Findings, block: Json, at: str) -> None:
    for i, row in enumerate(found.count(block, "rows", at, 100)):
        if not isinstance(row, list) or not 0 < len(row) <= 20:
            found.add(f"{at}/rows/{i}", "must be an array of 1 to 20 cells")


def _rich_text(found: _Findings, block: Json, at: str) -> None:
    kinds = {"rich_text_section", "rich_text_list", "rich_text_preformatted", "rich_text_quote"}
    for i, part in enumerate(found.count(block, "elements", at, 1000, least=0)):
        here = f"{at}/elements/{i}"
        if _kind(part) not in kinds:
            found.add(f"{here}/type", f"must be one of {', '.join(sorted(kinds))}")
        elif part["type"] == "rich_text_list":
            _rich_text(found, part, here)
        else:
            for j, run in enumerate(found.count(part, "elements", here, 1000, least=0)):
                if _kind(run) == "text":
                    found.string(run, "text", f"{here}/elements/{j}", MESSAGE_CHARACTERS, least=1, needed=True)


def _chart(found: _Findings, block: Json, at: str) -> None:
    for where, sentence in charts.problems(block):
        found.add(f"{at}{where}", sentence)


def _divider(_found: _Findings, _block: Json, _at: str) -> None:
    """A divider has nothing but its type."""


_CHECKS: dict[Any, Callable[[_Findings, Json, str], None]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "input": _input,
    "image": _image,
    "markdown": _markdown,
    "table": _table,
    "rich_text": _rich_text,
    "divider": _divider,
    "data_visualization": _chart,
}


def _element(found: _Findings, element: Any, at: str, allowed: frozenset[str]) -> None:
    kind = _kind(element)
    if kind not in allowed:
        found.add(f"{at}/type", f"unsupported type: {kind}")
    elif kind == "image":
        _image(found, element, at)
    else:
        found.string(element, "action_id", at, 255, least=1)
        found.text(element, "placeholder", at, 150, needed=False)
        if isinstance(element.get("confirm"), dict):
            _confirm(found, element["confirm"], f"{at}/confirm")
        if kind == "button":
            _button(found, element, at)
        elif kind == "plain_text_input":
            _plain_text_input(found, element, at)
        elif kind in _MOST_OPTIONS:
            _offered(found, element, at)


def _confirm(found: _Findings, confirm: Json, at: str) -> None:
    found.text(confirm, "title", at, 100)
    found.text(confirm, "text", at, 300, plain=False)
    found.text(confirm, "confirm", at, 30)
    found.text(confirm, "deny", at, 30)


def _button(found: _Findings, element: Json, at: str) -> None:
    found.text(element, "text", at, 75)
    found.string(element, "value", at, 2000)
    found.string(element, "url", at, 3000)
    found.string(element, "accessibility_label", at, 75)
    if element.get("style", "primary") not in ("primary", "danger"):
        found.add(f"{at}/style", "must be primary or danger")


def _plain_text_input(found: _Findings, element: Json, at: str) -> None:
    most = element.get("max_length", 3000)
    if not isinstance(most, int) or not 1 <= most <= 3000:
        found.add(f"{at}/max_length", "must be between 1 and 3000")
        most = 3000
    found.string(element, "initial_value", at, most)


_MOST_OPTIONS = {
    "static_select": 100,
    "multi_static_select": 100,
    "radio_buttons": 10,
    "checkboxes": 10,
    "overflow": 5,
}


def _offered(found: _Findings, element: Json, at: str) -> None:
    lists = [(element, at)]
    if "option_groups" in element:
        groups = _dicts(found.count(element, "option_groups", at, 100))
        lists = [(group, f"{at}/option_groups/{i}") for i, group in enumerate(groups)]
        for group, here in lists:
            found.text(group, "label", here, 75)
    for holder, here in lists:
        for i, option in enumerate(found.count(holder, "options", here, _MOST_OPTIONS[element["type"]])):
            option_problems(found, option, f"{here}/options/{i}", element["type"])
    chosen = [element["initial_option"]] if "initial_option" in element else element.get("initial_options") or []
    if not isinstance(chosen, list) or any(option not in options(element) for option in chosen):
        found.add(at, "an initial option must be exactly one of the options")


def option_problems(found: _Findings, option: Any, at: str, kind: str) -> None:
    """Adds what is wrong with one option of an element of this kind."""
    if not isinstance(option, dict):
        found.add(at, "must be an object")
        return
    found.text(option, "text", at, 75, plain=kind not in ("radio_buttons", "checkboxes"))
    found.text(option, "description", at, 75, plain=kind not in ("radio_buttons", "checkboxes"), needed=False)
    found.string(option, "value", at, 150, least=1, needed=True)


def suggestion_problems(answer: Any) -> list[str]:
    """What Slack would refuse in the answer to a block_suggestion."""
    found = _Findings()
    if not isinstance(answer, dict) or not ("options" in answer or "option_groups" in answer):
        return ["must provide options or option_groups [json-pointer:/]"]
    offered = options(answer)
    if len(offered) > 100:
        found.add("/options", "no more than 100 items allowed")
    for i, option in enumerate(offered):
        option_problems(found, option, f"/options/{i}", "external_select")
    return found.sentences
