"""Modals and home tabs: their stacks, their state, and what a person's entry becomes in that state.

The state's shapes are those of the page "View interaction payloads".
"""

from __future__ import annotations

from typing import Any

from integrations.sandbox.blocks import STATEFUL, elements, options, problems
from integrations.sandbox.slack.workspace import Json, SlackError, View, Workspace

MOST_VIEWS = 3

_STATE_KEYS = {
    "plain_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
}


def find(workspace: Workspace, view_id: str) -> View:
    """The open view or home tab of this id."""
    for stack in workspace.stacks.values():
        for view in stack:
            if view.data["id"] == view_id:
                return view
    for view in workspace.homes.values():
        if view.data["id"] == view_id:
            return view
    raise SlackError("not_found")


def check(view: Any) -> Json:
    """The view itself, when Slack would take it."""
    if not isinstance(view, dict):
        raise SlackError("invalid_arguments", response_metadata={"messages": ["[ERROR] missing required field: view"]})
    if found := problems(view):
        messages = [f"[ERROR] {sentence}" for sentence in found]
        raise SlackError("invalid_arguments", response_metadata={"messages": messages})
    return view


def show(workspace: Workspace, user: str, view: Json, *, push: bool) -> View:
    """Opens a modal: alone, or pushed on top of what the person has open."""
    stack = workspace.stacks.get(user, []) if push else []
    if len(stack) >= MOST_VIEWS:
        raise SlackError("push_limit_reached")
    view_id = f"V{workspace.number():06X}"
    shown = View(user, {"id": view_id, "root_view_id": stack[0].data["id"] if stack else view_id})
    shown.data["previous_view_id"] = stack[-1].data["id"] if stack else None
    fill(workspace, shown, view)
    workspace.stacks[user] = [*stack, shown]
    return shown


def publish(workspace: Workspace, user: str, view: Json) -> View:
    """Replaces a person's home tab."""
    view_id = f"V{workspace.number():06X}"
    home = workspace.homes.setdefault(user, View(user, {"id": view_id, "root_view_id": view_id}))
    home.data.setdefault("previous_view_id", None)
    fill(workspace, home, view)
    return home


def fill(workspace: Workspace, view: View, content: Json) -> None:
    """Gives a view new content.

    An input whose block_id and action_id were there before keeps its state and ignores its initial value, as Slack
    does (bolt-js issue 290).
    """
    me = workspace.identity
    blocks = workspace.with_ids(content.get("blocks", []))
    typed: dict[str, dict[str, Json]] = {}
    for block, element in elements(blocks):
        if element["type"] in STATEFUL:
            before = view.typed.get(block["block_id"], {}).get(element["action_id"])
            kept = before if before and before["type"] == element["type"] else initial(element)
            typed.setdefault(block["block_id"], {})[element["action_id"]] = kept
    view.typed, view.errors = typed, {}
    ids = {key: view.data[key] for key in ("id", "root_view_id", "previous_view_id")}
    defaults = {"private_metadata": "", "callback_id": "", "external_id": "", "title": None, "submit": None}
    view.data = {
        **defaults,
        **{"close": None, "clear_on_close": False, "notify_on_close": False},
        **content,
        **ids,
        **{"blocks": blocks, "team_id": me.team_id, "app_id": me.app_id, "bot_id": me.bot_id},
        "app_installed_team_id": me.team_id,
        "hash": f"{workspace.ts().split('.')[0]}.{workspace.number():08x}",
    }


def initial(element: Json) -> Json:
    """The state of an element that nobody has touched."""
    key, first = _STATE_KEYS[element["type"]]
    return {"type": element["type"], key: element.get(first, [] if key == "selected_options" else None)}


def enter(view: View, block_id: str, value: Any) -> None:
    """What a person puts into the input of a block: its text, an option's value (or the option), or a list of them.

    Raises ValueError for what the element does not offer: a person could not have chosen it.
    """
    for block, element in elements(view.data["blocks"]):
        if block["block_id"] == block_id and element["type"] in STATEFUL:
            view.typed[block_id][element["action_id"]] = state_of(view, element, value)
            return
    raise ValueError(f"the view {view.data['callback_id']} has no input in a block {block_id!r}")


def state_of(view: View, element: Json, value: Any) -> Json:
    """The state of an element after a person chose or typed `value`."""
    key = _STATE_KEYS[element["type"]][0]
    if key == "selected_option" and value is not None:
        value = _option(view, element, value)
    elif key == "selected_options":
        value = [_option(view, element, one) for one in value or []]
    elif key == "value" and value is not None:
        value = str(value) or None
    return {"type": element["type"], key: value}


def _option(view: View, element: Json, value: Any) -> Json:
    offered = options(element) + view.suggested.get(element["action_id"], [])
    for option in offered:
        if option == value or value in (option["value"], option["text"]["text"]):
            return {key: option[key] for key in ("text", "value")}
    raise ValueError(f"{element['action_id']} offers {[o['value'] for o in offered]}, not {value!r}")


def incomplete(view: View) -> dict[str, str]:
    """The errors that Slack's own client shows before anything is sent: block_id → sentence."""
    errors = {}
    for block, element in elements(view.data["blocks"]):
        if block["type"] != "input":
            continue
        value = view.typed[block["block_id"]][element["action_id"]][_STATE_KEYS[element["type"]][0]]
        if not value:
            if not block.get("optional"):
                errors[block["block_id"]] = "Please complete this required field."
        elif element["type"] == "plain_text_input":
            if len(value) > (most := element.get("max_length", 3000)):
                errors[block["block_id"]] = f"This must be at most {most} characters."
            elif len(value) < (least := element.get("min_length", 0)):
                errors[block["block_id"]] = f"This must be at least {least} characters."
    return errors
