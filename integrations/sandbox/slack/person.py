"""The human side: what people do in Slack, as the payloads that Slack sends for it, and what they then see.

The payloads' shapes are those of the pages "Interaction payloads", "Slash commands" and "Events API".
"""

from __future__ import annotations

import copy
import re
from typing import Any

from integrations.sandbox.blocks import STATEFUL, elements, options, suggestion_problems
from integrations.sandbox.slack import links, responses, steps, views
from integrations.sandbox.slack.delivery import Answer, Delivery
from integrations.sandbox.slack.workspace import Json, SlackError, View, Workspace

_TROUBLE = "We had some trouble connecting. Try again?"


class People:
    """What a person can do, each method callable from any thread. A LookupError or ValueError means that no person
    could have done it: the button is not there, the select has no such option."""

    workspace: Workspace
    delivery: Delivery
    subscribed: tuple[str, ...]

    @property
    def base_url(self) -> str:
        raise NotImplementedError

    # --- commands and shortcuts

    def command(self, user: str, text: str, channel: str, command: str = "/bug") -> Answer:
        """Types a slash command; its immediate answer is shown as Slack shows it."""
        me, where = self.workspace.identity, self.workspace.conversation(channel)
        name = self.workspace.person(user)["name"]
        payload = {
            **{"token": me.token, "team_id": me.team_id, "team_domain": me.team_domain},
            **{"channel_id": channel, "channel_name": where.name, "user_id": user, "user_name": name},
            **{
                "command": command,
                "text": self._escaped(text),
                "api_app_id": me.app_id,
                "is_enterprise_install": "false",
            },
            "response_url": self._response_url(user, channel),
            "trigger_id": self.workspace.new_trigger(user),
        }
        answer = self.delivery.deliver("slash_commands", payload)
        error = "" if answer.ok else "operation_timeout" if answer.late else "dispatch_failed"
        with self.workspace.change():
            try:
                if answer.ok and answer.body:
                    said = answer.body if isinstance(answer.body, dict) else {"text": answer.body}
                    responses.show(self.workspace, channel, user, said)
            except SlackError as refusal:
                error = refusal.code
            if error:
                said = {"text": f"{command} failed with the error “{error}”"}
                responses.show(self.workspace, channel, user, said)
        return answer

    def _escaped(self, text: str) -> str:
        """What was typed, as Slack sends it where the command's `should_escape` is on (page "Slash commands"): people
        and addresses in angle brackets."""
        plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        people = {person["name"].casefold(): id for id, person in self.workspace.people.items()}

        def named(found: re.Match[str]) -> str:
            id = people.get(found[1].casefold())
            return f"<@{id}|{found[1]}>" if id else found[0]

        return re.sub(r"(?<!\S)@(\w+)", named, re.sub(r"https?://[^\s<>]+", r"<\g<0>>", plain))

    def shortcut(self, user: str, callback_id: str) -> Answer:
        """Chooses a global shortcut."""
        payload = self._from(user, "shortcut") | {"callback_id": callback_id, "action_ts": self.workspace.ts()}
        return self.delivery.deliver("interactive", payload | {"trigger_id": self.workspace.new_trigger(user)})

    def message_shortcut(self, user: str, channel: str, ts: str, callback_id: str) -> Answer:
        """Chooses a message shortcut on a message."""
        message = self._message(user, channel, ts)
        where = self.workspace.conversation(channel)
        payload = self._from(user, "message_action") | {
            **{"callback_id": callback_id, "action_ts": self.workspace.ts(), "message_ts": ts, "message": message},
            "channel": {"id": channel, "name": where.name},
            "response_url": self._response_url(user, channel, ts),
            "trigger_id": self.workspace.new_trigger(user),
        }
        return self.delivery.deliver("interactive", payload)

    # --- messages

    def say(self, user: str, channel: str, text: str, thread_ts: str | None = None, files: tuple[str, ...] = ()) -> str:
        """Posts a message as a person and returns its ts; the app hears of it when it is in that conversation.

        The bot's own id as `channel` is the person's direct messages with it. `files`: the names of what is attached.
        """
        me = self.workspace.identity
        with self.workspace.change():
            self.workspace.person(user)
            where = self.workspace.dm(user) if channel == me.bot_user else self.workspace.conversation(channel)
            said: Json = {"text": text, **({"thread_ts": thread_ts} if thread_ts else {})}
            if files:
                said["files"] = [self._file(user, name) for name in files]
            message = copy.deepcopy(self.workspace.add_message(where, user, said))
        if me.bot_user in where.members:
            extra = {"channel": where.id, "event_ts": message["ts"]}
            kinds = {"message": {"channel_type": "im" if where.dm_with else "channel"}}
            if f"<@{me.bot_user}>" in text:
                kinds["app_mention"] = {}
            for kind, more in kinds.items():
                if kind in self.subscribed:
                    self.event({**message, **extra, **more, "type": kind})
        if (found := links.shared(self.workspace, text)) and "link_shared" in self.subscribed:
            self.share(user, where.id, message["ts"], found)
        return str(message["ts"])

    def reword(self, user: str, channel: str, ts: str, text: str) -> Answer:
        """Edits a message of one's own ("message_changed"), or deletes it ("message_deleted") with an empty text."""
        with self.workspace.change():
            where = self.workspace.conversation(channel)
            message = self.workspace.message(channel, ts)
            if message["user"] != user:
                raise LookupError(f"{user} did not write {ts}")
            before = copy.deepcopy(message)
            event: Json = {"type": "message", "channel": channel, "hidden": True, "channel_type": "channel"}
            event |= {"ts": self.workspace.ts(), "event_ts": self.workspace.ts(), "previous_message": before}
            if text:
                message |= {"text": text, "edited": {"user": user, "ts": self.workspace.ts()}}
                event |= {"subtype": "message_changed", "message": copy.deepcopy(message)}
            else:
                where.messages.remove(message)
                event |= {"subtype": "message_deleted", "deleted_ts": ts}
        if "message" not in self.subscribed or self.workspace.identity.bot_user not in where.members:
            return Answer(200, "", late=False)
        return self.event(event)

    def share(self, user: str, channel: str, ts: str, found: list[Json], *, outside: bool = False) -> Answer:
        """Tells the app of links in a message; `outside`: people of other organisations are in the channel."""
        member = self.workspace.identity.bot_user in self.workspace.conversation(channel).members
        event = {
            **{"type": "link_shared", "user": user, "channel": channel, "message_ts": ts, "links": found},
            **{"unfurl_id": f"{channel}-{ts}", "source": "conversations_history", "event_ts": self.workspace.ts()},
            "is_bot_user_member": member,
        }
        return self.event(event, outside=outside)

    def react(self, user: str, channel: str, ts: str, reaction: str) -> Answer | None:
        """Adds an emoji to a message; the app hears of it when it is in that conversation, else None."""
        with self.workspace.change():
            message = self.workspace.message(channel, ts)
            given = message.setdefault("reactions", [])
            mine = next((one for one in given if one["name"] == reaction), None)
            if mine is None:
                given.append(mine := {"name": reaction, "users": [], "count": 0})
            if user not in mine["users"]:
                mine["users"].append(user)
            mine["count"] = len(mine["users"])
        heard = self.workspace.identity.bot_user in self.workspace.conversation(channel).members
        if "reaction_added" not in self.subscribed or not heard:
            return None
        item = {"type": "message", "channel": channel, "ts": ts}
        event = {"type": "reaction_added", "user": user, "reaction": reaction, "item": item}
        return self.event({**event, "item_user": message["user"], "event_ts": self.workspace.ts()})

    def run_step(self, callback_id: str, inputs: Json) -> str:
        """Lets a workflow reach a step of the app's, and returns the execution's id; see `execution`."""
        with self.workspace.change():
            event = steps.begin(self.workspace, callback_id, inputs)
        if "function_executed" in self.subscribed:
            self.event(event)
        return str(event["function_execution_id"])

    def execution(self, execution_id: str) -> Json:
        """How a step stands: `state` (running, completed, failed), `outputs`, `error`."""
        with self.workspace.changed:
            return dict(self.workspace.executions[execution_id])

    def event(self, event: Json, *, event_id: str = "", retry: int = 0, outside: bool = False) -> Answer:
        """Delivers one Events API event. The same `event_id` with `retry` 1, 2, 3 is Slack's repetition."""
        me = self.workspace.identity
        authorization = {"enterprise_id": None, "team_id": me.team_id, "user_id": me.bot_user, "is_bot": True}
        payload = {
            **{"token": me.token, "team_id": me.team_id, "context_team_id": me.team_id, "api_app_id": me.app_id},
            **{"context_enterprise_id": None, "event": event, "type": "event_callback"},
            "event_id": event_id or f"Ev{self.workspace.number():08X}",
            "event_time": int(self.workspace.now().timestamp()),
            "authorizations": [{**authorization, "is_enterprise_install": False}],
            "is_ext_shared_channel": outside,
        }
        return self.delivery.deliver("events_api", payload, retry)

    def open_home(self, user: str) -> Json | None:
        """Opens the app's home tab and returns it as it then is; None when the app published none."""
        if "app_home_opened" in self.subscribed:
            with self.workspace.change():
                channel = self.workspace.dm(user).id
            event = {"type": "app_home_opened", "user": user, "channel": channel, "tab": "home"}
            home = self.workspace.homes.get(user)
            view = {"view": home.payload()} if home else {}
            self.event({**event, **view, "event_ts": self.workspace.ts()})
        home = self.workspace.homes.get(user)
        return home.shown() if home else None

    def press(
        self, user: str, channel: str, ts: str, action_id: str, value: str | None = None, index: int = 0
    ) -> Answer:
        """Presses a button (or chooses in a select) of a message: the `index`-th with that action_id and value."""
        message = self._message(user, channel, ts)
        hidden = bool(message.get("is_ephemeral"))
        block, element = _pressed(message.get("blocks", []), action_id, value, index)
        container: Json = {"type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": hidden}
        if message.get("thread_ts"):
            container["thread_ts"] = message["thread_ts"]
        chosen = views.state_of(View(user, {}), element, value) if element["type"] in STATEFUL else {}
        payload = self._from(user, "block_actions") | {
            "container": container,
            "channel": {"id": channel, "name": self.workspace.conversation(channel).name},
            "state": {"values": {}},
            "response_url": self._response_url(user, channel, ts),
            "trigger_id": self.workspace.new_trigger(user),
            "actions": [_action(block, element, chosen, self.workspace.ts())],
        }
        if not hidden:
            payload["message"] = message
        return self.delivery.deliver("interactive", payload)

    # --- views

    def type(self, view_id: str, block_id: str, value: str) -> Answer:
        """Types into an input of a modal; the app hears of it only where the block asks for that."""
        with self.workspace.change():
            view = views.find(self.workspace, view_id)
            views.enter(view, block_id, value)
            block, element = next(one for one in elements(view.data["blocks"]) if one[0]["block_id"] == block_id)
            shown = view.payload()
        when = element.get("dispatch_action_config", {}).get("trigger_actions_on", ["on_enter_pressed"])
        if not block.get("dispatch_action") or "on_character_entered" not in when:
            return Answer(200, "", late=False)
        payload = self._from(view.user, "block_actions") | {
            **{"container": {"type": "view", "view_id": view_id}, "view": shown, "state": shown["state"]},
            "trigger_id": self.workspace.new_trigger(view.user, view_id),
            "actions": [_action(block, element, {"value": value}, self.workspace.ts())],
        }
        return self.delivery.deliver("interactive", payload)

    def press_in_view(self, view_id: str, action_id: str, value: Any = None, index: int = 0) -> Answer:
        """Presses a button, or chooses in a select that tells the app at once, in a modal or home tab."""
        with self.workspace.change():
            view = views.find(self.workspace, view_id)
            block, element = _pressed(view.data["blocks"], action_id, value, index)
            chosen: Json = {}
            if element["type"] in STATEFUL:
                chosen = view.typed[block["block_id"]][action_id] = views.state_of(view, element, value)
            shown = view.payload()
        if block["type"] == "input" and not block.get("dispatch_action"):
            return Answer(200, "", late=False)  # Slack tells the app nothing before the submission
        payload = self._from(view.user, "block_actions") | {
            **{"container": {"type": "view", "view_id": view_id}, "view": shown, "state": shown["state"]},
            "trigger_id": self.workspace.new_trigger(view.user, view_id),
            "actions": [_action(block, element, chosen, self.workspace.ts())],
        }
        return self.delivery.deliver("interactive", payload)

    def suggest(self, view_id: str, action_id: str, typed: str) -> list[Json]:
        """Types into an external select and returns the options that come up; [] as well when the app fails."""
        view = views.find(self.workspace, view_id)
        block, element = _pressed(view.data["blocks"], action_id, None, 0)
        if len(typed) < element.get("min_query_length", 3):
            return []
        payload = self._from(view.user, "block_suggestion") | {
            **{"action_id": action_id, "block_id": block["block_id"], "value": typed, "view": view.payload()},
            "container": {"type": "view", "view_id": view_id},
        }
        answer = self.delivery.deliver("interactive", payload)
        if not answer.ok or suggestion_problems(answer.body):
            return []
        view.suggested[action_id] = options(answer.body)
        return copy.deepcopy(view.suggested[action_id])

    def submit(self, view_id: str, values: dict[str, Any] | None = None) -> Answer:
        """Fills inputs (by block_id; the others keep what stands in them) and submits; the answer is applied.

        What Slack's own client refuses, such as an empty required input, never reaches the app: status 0.
        """
        with self.workspace.change():
            view = views.find(self.workspace, view_id)
            for block_id, value in (values or {}).items():
                views.enter(view, block_id, value)
            view.errors = views.incomplete(view)
            if view.errors:
                return Answer(0, {"response_action": "errors", "errors": dict(view.errors)}, late=False)
            payload = self._from(view.user, "view_submission") | {"view": view.payload(), "response_urls": []}
            payload["trigger_id"] = self.workspace.new_trigger(view.user, view_id)
        answer = self.delivery.deliver("interactive", payload)
        with self.workspace.change():
            try:
                self._apply(view, answer)
            except SlackError:
                view.errors = {"": _TROUBLE}
        return answer

    def _apply(self, view: View, answer: Answer) -> None:
        """Does what a view_submission was answered with (page "Modals")."""
        body: Json = {} if answer.body == "" else answer.body
        if not answer.ok or not isinstance(body, dict):
            raise SlackError("invalid_answer")
        action = body.get("response_action")
        stack = self.workspace.stacks.get(view.user, [])
        if action == "errors":
            inputs = {block["block_id"] for block in view.data["blocks"] if block["type"] == "input"}
            if not body.get("errors") or not inputs.issuperset(body["errors"]):
                raise SlackError("invalid_answer")
            view.errors = dict(body["errors"])
        elif action == "update":
            views.fill(self.workspace, view, views.check(body.get("view")))
        elif action == "push":
            views.show(self.workspace, view.user, views.check(body.get("view")), push=True)
        elif action == "clear":
            self.workspace.stacks[view.user] = []
        elif body:
            raise SlackError("invalid_answer")
        elif view in stack:
            stack.remove(view)

    def close_view(self, view_id: str, *, with_values: bool = True) -> Answer:
        """Cancels a modal; the app hears of it when the view has `notify_on_close`. Whether what was typed comes along
        is documented nowhere: the payload's `state` may be empty."""
        with self.workspace.change():
            view = views.find(self.workspace, view_id)
            stack = self.workspace.stacks[view.user]
            self.workspace.stacks[view.user] = stack[: stack.index(view)]
        if not view.data["notify_on_close"]:
            return Answer(200, "", late=False)
        shown = view.payload() if with_values else {**view.payload(), "state": {}}
        payload = self._from(view.user, "view_closed") | {"view": shown, "is_cleared": False}
        return self.delivery.deliver("interactive", payload)

    # --- what payloads share

    def _from(self, user: str, kind: str) -> Json:
        me, person = self.workspace.identity, self.workspace.person(user)
        name = person["name"]
        return {
            "type": kind,
            "user": {"id": user, "username": name, "name": name, "team_id": person["team_id"]},
            **{"api_app_id": me.app_id, "token": me.token, "team": {"id": me.team_id, "domain": me.team_domain}},
            **{"enterprise": None, "is_enterprise_install": False},
        }

    def _file(self, user: str, name: str) -> Json:
        file_id = f"F{self.workspace.number():08X}"
        home = f"https://{self.workspace.identity.team_domain}.slack.example"
        return {
            **{"id": file_id, "name": name, "title": name, "mimetype": "image/png", "filetype": "png", "user": user},
            **{"mode": "hosted", "url_private": f"{home}/files-pri/{file_id}/{name}"},
            "permalink": f"{home}/files/{user}/{file_id}/{name}",
        }

    def _response_url(self, user: str, channel: str, ts: str = "") -> str:
        return self.base_url + self.workspace.new_response_url(user, channel, ts)

    def _message(self, user: str, channel: str, ts: str) -> Json:
        """The message as this person sees it."""
        with self.workspace.changed:
            where = self.workspace.conversation(channel)
            if where.dm_with not in ("", user):
                raise LookupError(f"{channel} is not a conversation of {user}")
            for message in [*where.messages, *self.workspace.ephemerals.get(user, [])]:
                if message["ts"] == ts and message.get("channel", channel) == channel:
                    return copy.deepcopy(message)
        raise LookupError(f"{user} sees no message {ts} in {channel}")


def _pressed(blocks: list[Json], action_id: str, value: Any, index: int) -> tuple[Json, Json]:
    """The element that a person means; a button only when it carries that value."""
    there = [
        (block, element)
        for block, element in elements(blocks)
        if element["action_id"] == action_id
        and (value is None or element["type"] != "button" or element.get("value") == value)
    ]
    if index >= len(there):
        present = [(element["action_id"], element.get("value")) for _, element in elements(blocks)]
        raise LookupError(f"no {action_id!r} with value {value!r} there; there are {present}")
    return there[index]


def _action(block: Json, element: Json, chosen: Json, ts: str) -> Json:
    kept: Json = {key: element[key] for key in ("type", "text", "value", "style") if key in element}
    return {**kept, **chosen, "block_id": block["block_id"], "action_id": element["action_id"], "action_ts": ts}
