"""The Web API's methods, with the answers and error codes of their pages in Slack's reference."""

from __future__ import annotations

import copy
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from integrations.sandbox.blocks import MESSAGE_CHARACTERS, characters, problems
from integrations.sandbox.slack import links, steps, usergroups, views
from integrations.sandbox.slack.workspace import Conversation, Json, SlackError, Workspace

Method = Callable[[Workspace, Json], Json]

_HIDDEN_WITHOUT_ASKING = "metadata"


def call(workspace: Workspace, method: str, args: Json, token: str) -> Json:
    """The answer's body. Raises SlackError for `ok: false`."""
    me = workspace.identity
    if method not in METHODS:
        raise SlackError("unknown_method", req_method=method)
    if not token:
        raise SlackError("not_authed")
    if token not in (me.bot_token, me.app_token):
        raise SlackError("invalid_auth")
    if token == me.app_token:
        raise SlackError("not_allowed_token_type")
    needed, work, changes = METHODS[method]
    if needed and not any(scope in me.scopes for scope in needed):
        raise SlackError("missing_scope", needed=needed[0], provided=",".join(me.scopes))
    if not changes:
        with workspace.changed:
            return copy.deepcopy(work(workspace, args))
    with workspace.change():
        return copy.deepcopy(work(workspace, args))


def _required(args: Json, *names: str) -> list[str]:
    values = [str(args.get(name) or "") for name in names]
    if missing := [name for name, value in zip(names, values, strict=True) if not value]:
        messages = [f"[ERROR] missing required field: {name}" for name in missing]
        raise SlackError("invalid_arguments", response_metadata={"messages": messages})
    return values


def _true(args: Json, name: str) -> bool:
    return args.get(name) in (True, 1, "1", "true", "True")


def _page(rows: list[Json] | list[str], args: Json, default: int, most: int = 1000) -> tuple[list[Any], Json]:
    """One page of rows, and the response_metadata that leads to the next."""
    try:
        limit, start = int(args.get("limit") or default), int(args.get("cursor") or 0)
    except ValueError:
        raise SlackError("invalid_cursor" if args.get("cursor") else "invalid_limit") from None
    if not 0 < limit <= most:
        raise SlackError("invalid_limit")
    following = str(start + limit) if start + limit < len(rows) else ""
    return rows[start : start + limit], {"response_metadata": {"next_cursor": following}}


# --- who we are


def _auth_test(workspace: Workspace, _args: Json) -> Json:
    me = workspace.identity
    return {
        "url": f"https://{me.team_domain}.slack.example/",
        **{"team": me.team_name, "user": me.bot_name, "team_id": me.team_id, "user_id": me.bot_user},
        **{"bot_id": me.bot_id, "is_enterprise_install": False},
    }


# --- messages


def content(workspace: Workspace, args: Json, *, most_text: int = 40_000) -> Json:
    """What a message says, checked: text, blocks, metadata, as far as they were given."""
    said: Json = {key: args[key] for key in ("text", "blocks", "metadata") if args.get(key) is not None}
    if "text" in said:
        said["text"] = str(said["text"])
    if len(said.get("text", "")) > most_text:
        raise SlackError("msg_too_long")
    if "blocks" in said:
        if not isinstance(said["blocks"], list):
            raise SlackError("invalid_blocks_format")
        if found := problems(said["blocks"]) or _refused(workspace, said["blocks"]):
            messages = [f"[ERROR] {sentence}" for sentence in found]
            raise SlackError("invalid_blocks", errors=found, response_metadata={"messages": messages})
        if characters(said["blocks"]) > MESSAGE_CHARACTERS:
            raise SlackError("msg_blocks_too_long")
    metadata = said.get("metadata")
    if metadata and not (
        isinstance(metadata, dict)
        and isinstance(metadata.get("event_type"), str)
        and isinstance(metadata.get("event_payload"), dict)
    ):
        raise SlackError("invalid_metadata_format")
    return said


def _refused(workspace: Workspace, blocks: list[Any]) -> list[str]:
    """The charts that a workspace does not take, where it takes none."""
    at = [i for i, block in enumerate(blocks) if block.get("type") == "data_visualization"]
    return [] if workspace.charts else [f"unsupported type: data_visualization [json-pointer:/blocks/{i}]" for i in at]


def _target(workspace: Workspace, channel: str) -> Conversation:
    """Where a message to this channel or person goes."""
    if channel in workspace.people:
        return workspace.dm(channel)
    return workspace.joined(channel)


def _post_message(workspace: Workspace, args: Json) -> Json:
    if not args.get("channel"):
        raise SlackError("channel_not_found")
    conversation = _target(workspace, str(args["channel"]))
    said = content(workspace, args)
    if not said.get("text") and not said.get("blocks"):
        raise SlackError("no_text")
    if args.get("thread_ts"):
        said["thread_ts"] = str(args["thread_ts"])
    if seconds := workspace.wait_to_post(conversation.id):
        raise SlackError("ratelimited", retry_after=seconds)
    message = workspace.add_message(conversation, workspace.identity.bot_user, {"text": "", **said})
    return {"channel": conversation.id, "ts": message["ts"], "message": message}


def _own(workspace: Workspace, args: Json, refusal: str) -> Json:
    channel, ts = _required(args, "channel", "ts")
    message = workspace.message(workspace.joined(channel).id, ts)
    if message["user"] != workspace.identity.bot_user:
        raise SlackError(refusal)
    return message


def _update(workspace: Workspace, args: Json) -> Json:
    message = _own(workspace, args, "cant_update_message")
    said = content(workspace, args, most_text=4_000)
    if "text" not in said and "blocks" not in said:
        raise SlackError("no_text")
    rewrite(workspace, message, said)
    return {"channel": args["channel"], "ts": message["ts"], "text": message["text"], "message": message}


def rewrite(workspace: Workspace, message: Json, said: Json) -> None:
    """Edits a message; blocks and metadata that are not given stay, empty ones go (page "chat.update")."""
    if "blocks" in said:
        said = {**said, "blocks": workspace.with_ids(said["blocks"])}
    message |= said
    for key in ("blocks", "metadata"):
        if key in message and not message[key]:
            del message[key]
    message["edited"] = {"user": message["user"], "ts": workspace.ts()}


def _delete(workspace: Workspace, args: Json) -> Json:
    message = _own(workspace, args, "cant_delete_message")
    workspace.conversation(args["channel"]).messages.remove(message)
    return {"channel": args["channel"], "ts": message["ts"]}


def _post_ephemeral(workspace: Workspace, args: Json) -> Json:
    channel, user = _required(args, "channel", "user")
    conversation = workspace.joined(channel)
    if user not in conversation.members:
        raise SlackError("user_not_in_channel")
    said = content(workspace, args)
    if not said.get("text") and not said.get("blocks"):
        raise SlackError("no_text")
    if args.get("thread_ts"):
        said["thread_ts"] = str(args["thread_ts"])
    return {"message_ts": add_ephemeral(workspace, channel, user, said)["ts"]}


def add_ephemeral(workspace: Workspace, channel: str, user: str, said: Json) -> Json:
    """Shows something to one person only."""
    message: Json = {"type": "message", "ts": workspace.ts(), "channel": channel, "text": "", **said}
    message |= {"user": workspace.identity.bot_user, "is_ephemeral": True}
    if "blocks" in message:
        message["blocks"] = workspace.with_ids(message["blocks"])
    workspace.ephemerals.setdefault(user, []).append(message)
    return message


def _get_permalink(workspace: Workspace, args: Json) -> Json:
    channel, ts = _required(args, "channel", "message_ts")
    message = workspace.message(channel, ts)
    link = f"https://{workspace.identity.team_domain}.slack.example/archives/{channel}/p{ts.replace('.', '')}"
    if message.get("thread_ts", ts) != ts:
        link += f"?thread_ts={message['thread_ts']}&cid={channel}"
    return {"channel": channel, "permalink": link}


# --- conversations


def _described(workspace: Workspace, found: Conversation) -> Json:
    described: Json = {"id": found.id, "created": 0, "is_archived": False, "is_im": bool(found.dm_with)}
    if found.dm_with:
        return {**described, "user": found.dm_with}
    member = workspace.identity.bot_user in found.members
    return {
        **described,
        **{"name": found.name, "name_normalized": found.name, "is_channel": True, "is_group": False},
        **{"is_private": False, "is_general": False, "is_ext_shared": False, "is_member": member},
    }


def _open(workspace: Workspace, args: Json) -> Json:
    if args.get("channel"):
        return {"channel": _described(workspace, workspace.conversation(str(args["channel"])))}
    users = str(args.get("users") or "").split(",")
    if len(users) != 1 or not users[0]:
        raise SlackError("users_list_not_supplied" if not users[0] else "method_not_supported_for_channel_type")
    known = f"D{users[0][1:]}" in workspace.conversations
    channel = {"channel": {"id": workspace.dm(users[0]).id}}
    return {**channel, "no_op": True, "already_open": True} if known else channel


def _info(workspace: Workspace, args: Json) -> Json:
    found = workspace.conversation(str(args.get("channel") or ""))
    described = _described(workspace, found)
    if _true(args, "include_num_members"):
        described["num_members"] = len(found.members)
    return {"channel": described}


def _members(workspace: Workspace, args: Json) -> Json:
    page, more = _page(workspace.conversation(str(args.get("channel") or "")).members, args, 100)
    return {"members": page, **more}


def _list(workspace: Workspace, args: Json) -> Json:
    types = str(args.get("types") or "public_channel").split(",")
    wanted = [c for c in workspace.conversations.values() if ("im" if c.dm_with else "public_channel") in types]
    page, more = _page([_described(workspace, one) for one in wanted], args, 100)
    return {"channels": page, **more}


def _moment(args: Json, name: str, default: str) -> Decimal:
    try:
        return Decimal(str(args.get(name) or default))
    except InvalidOperation:
        raise SlackError(f"invalid_ts_{name}") from None


def _within(messages: list[Json], args: Json) -> list[Json]:
    """The messages between `oldest` and `latest`, which themselves count only when `inclusive`."""
    inclusive = _true(args, "inclusive")
    oldest, latest = _moment(args, "oldest", "0"), _moment(args, "latest", "inf")

    def inside(message: Json) -> bool:
        ts = Decimal(message["ts"])
        return oldest < ts < latest or (inclusive and ts in (oldest, latest))

    return [message for message in messages if inside(message)]


def _seen(messages: list[Json], args: Json) -> list[Json]:
    if _true(args, "include_all_metadata"):
        return messages
    return [{key: value for key, value in one.items() if key != _HIDDEN_WITHOUT_ASKING} for one in messages]


def _history(workspace: Workspace, args: Json) -> Json:
    found = workspace.joined(str(args.get("channel") or ""))
    top = [m for m in found.messages if m.get("thread_ts", m["ts"]) == m["ts"]]
    page, more = _page(_within(top[::-1], args), args, 100, 999)
    return {"messages": _seen(page, args), "has_more": bool(more["response_metadata"]["next_cursor"]), **more}


def _replies(workspace: Workspace, args: Json) -> Json:
    found = workspace.joined(str(args.get("channel") or ""))
    (ts,) = _required(args, "ts")
    thread = [m for m in found.messages if ts in (m["ts"], m.get("thread_ts"))]
    if not thread:
        raise SlackError("thread_not_found")
    page, more = _page([thread[0], *_within(thread[1:], args)], args, 1000)
    return {"messages": _seen(page, args), "has_more": bool(more["response_metadata"]["next_cursor"]), **more}


# --- people


def _seen_person(workspace: Workspace, person: Json) -> Json:
    if "users:read.email" in workspace.identity.scopes:
        return person
    profile = {key: value for key, value in person["profile"].items() if key != "email"}
    return {**person, "profile": profile}


def _user(workspace: Workspace, args: Json) -> Json:
    person = _seen_person(workspace, workspace.person(str(args.get("user") or "")))
    if not _true(args, "include_locale"):
        person = {key: value for key, value in person.items() if key != "locale"}
    return {"user": person}


def _by_email(workspace: Workspace, args: Json) -> Json:
    wanted = str(args.get("email") or "").casefold()
    for person in workspace.people.values():
        if person["profile"].get("email", "").casefold() == wanted and wanted and not person["deleted"]:
            return {"user": {key: value for key, value in person.items() if key != "locale"}}
    raise SlackError("users_not_found")


# --- views


def _modal(args: Json) -> Json:
    view = views.check(args.get("view"))
    if view["type"] != "modal":
        messages = ["[ERROR] must be modal [json-pointer:/view/type]"]
        raise SlackError("invalid_arguments", response_metadata={"messages": messages})
    return view


def _views_open(workspace: Workspace, args: Json) -> Json:
    view = _modal(args)
    trigger = workspace.use_trigger(_required(args, "trigger_id")[0])
    return {"view": views.show(workspace, trigger.user, view, push=False).payload()}


def _views_push(workspace: Workspace, args: Json) -> Json:
    view = _modal(args)
    trigger = workspace.use_trigger(_required(args, "trigger_id")[0])
    if not trigger.view_id:
        raise SlackError("invalid_trigger_id")
    return {"view": views.show(workspace, trigger.user, view, push=True).payload()}


def _views_update(workspace: Workspace, args: Json) -> Json:
    view = views.check(args.get("view"))
    shown = views.find(workspace, _required(args, "view_id")[0])
    if args.get("hash") and args["hash"] != shown.data["hash"]:
        raise SlackError("hash_conflict")
    views.fill(workspace, shown, view)
    return {"view": shown.payload()}


def _views_publish(workspace: Workspace, args: Json) -> Json:
    view = views.check(args.get("view"))
    (user,) = _required(args, "user_id")
    workspace.person(user)
    home = workspace.homes.get(user)
    if args.get("hash") and home and args["hash"] != home.data["hash"]:
        raise SlackError("hash_conflict")
    return {"view": views.publish(workspace, user, view).payload()}


_HISTORY = ("channels:history", "groups:history", "im:history")

METHODS: dict[str, tuple[tuple[str, ...], Method, bool]] = {
    # method: (any of these scopes, what it does, whether it changes something)
    "auth.test": ((), _auth_test, False),
    "chat.postMessage": (("chat:write",), _post_message, True),
    "chat.update": (("chat:write",), _update, True),
    "chat.delete": (("chat:write",), _delete, True),
    "chat.postEphemeral": (("chat:write",), _post_ephemeral, True),
    "chat.getPermalink": ((), _get_permalink, False),
    "chat.unfurl": (("links:write",), links.unfurl, True),
    "functions.completeSuccess": ((), steps.complete_success, True),
    "functions.completeError": ((), steps.complete_error, True),
    "conversations.open": (("im:write",), _open, True),
    "conversations.info": (("channels:read", "groups:read", "im:read"), _info, False),
    "conversations.members": (("channels:read", "groups:read", "im:read"), _members, False),
    "conversations.list": (("channels:read", "groups:read", "im:read"), _list, False),
    "conversations.history": (_HISTORY, _history, False),
    "conversations.replies": (_HISTORY, _replies, False),
    "users.info": (("users:read",), _user, False),
    "users.lookupByEmail": (("users:read.email",), _by_email, False),
    "usergroups.list": (("usergroups:read",), usergroups.listed, False),
    "usergroups.users.list": (("usergroups:read",), usergroups.users, False),
    "usergroups.users.update": (("usergroups:write",), usergroups.update, True),
    "views.open": ((), _views_open, True),
    "views.push": ((), _views_push, True),
    "views.update": ((), _views_update, True),
    "views.publish": ((), _views_publish, True),
}
