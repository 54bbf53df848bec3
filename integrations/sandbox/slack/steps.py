"""Workflow Builder's steps that the app performs: how one ends (pages "functions.completeSuccess" and "…Error")."""

from __future__ import annotations

import json
from typing import Any

from integrations.sandbox.slack.workspace import Json, SlackError, Workspace


def begin(workspace: Workspace, callback_id: str, inputs: Json) -> Json:
    """The event of a step that a workflow has reached; its execution is known under its id from here on."""
    execution_id = f"Fx{workspace.number():08X}"
    workspace.executions[execution_id] = {"state": "running", "outputs": None, "error": None}
    return {
        "type": "function_executed",
        "function": {
            **{"id": f"Fn{callback_id}", "callback_id": callback_id, "title": callback_id, "type": "app"},
            **{"input_parameters": [], "output_parameters": [], "app_id": workspace.identity.app_id},
        },
        "inputs": inputs,
        "function_execution_id": execution_id,
        "workflow_execution_id": f"Wx{workspace.number():08X}",
        "event_ts": workspace.ts(),
        "bot_access_token": workspace.identity.bot_token,
    }


def complete_success(workspace: Workspace, args: Json) -> Json:
    """functions.completeSuccess: the workflow goes on with these outputs."""
    outputs: Any = args.get("outputs")
    if isinstance(outputs, str):
        outputs = json.loads(outputs)
    if not isinstance(outputs, dict):
        raise SlackError("invalid_arguments")
    _running(workspace, args).update(state="completed", outputs=outputs)
    return {}


def complete_error(workspace: Workspace, args: Json) -> Json:
    """functions.completeError: the workflow stops, and its owner reads the sentence."""
    if not args.get("error"):
        raise SlackError("invalid_arguments")
    _running(workspace, args).update(state="failed", error=str(args["error"]))
    return {}


def _running(workspace: Workspace, args: Json) -> Json:
    execution = workspace.executions.get(str(args.get("function_execution_id") or ""))
    if execution is None:
        raise SlackError("function_execution_not_found")
    if execution["state"] != "running":
        raise SlackError("execution_not_in_running_state")
    return execution
