"""What a played story stands on: people's hands in the sandbox, and waiting until what they did had its effect."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from bot import telling
from bot.app import Passerelle
from bot.model import UserError
from bot.store import overview
from bot.telling import NAMES, Json, Teller
from integrations.sandbox.slack import Answer
from integrations.sandbox.story import BOT, CHANNELS, PEOPLE, PROJECT, REPOSITORY
from integrations.sandbox.world import Sandbox

PATIENCE = 20.0
"""Seconds that an effect may take on a slow machine."""

LOOK_EVERY = 0.05
"""Seconds."""

T = TypeVar("T")


class Play:
    """The sandbox with people in it. Whatever does not happen is a UserError that names the step, what was expected and
    what was seen. `patience`: seconds that each effect is waited for."""

    def __init__(self, sandbox: Sandbox, bot: Passerelle, tell: Teller, patience: float = PATIENCE) -> None:
        self.slack, self.zendesk = sandbox.slack, sandbox.zendesk
        self.github, self.gitlab = sandbox.github, sandbox.gitlab
        self.bot = bot
        self.tell = tell
        self.title = ""
        self._patience = patience
        self._tick = threading.Event()
        self._read = {person.id: len(self.slack.dm(person.id)) for person in PEOPLE}

    def step(self, title: str, play: Callable[[Play], None]) -> None:
        """Play one step. Raises UserError."""
        self.title = title
        self.tell.step(title)
        try:
            play(self)
        except (LookupError, ValueError) as error:  # the stand-ins' words for what nobody could have done
            raise self._failed("this to be possible", str(error)) from error

    def until(
        self, expected: str, see: Callable[[], T], holds: Callable[[T], bool], words: Callable[[T], str] = str
    ) -> T:
        """What `see` sees, as soon as it `holds`. Raises UserError, with what was seen in `words`, when it does not in
        time."""
        deadline = time.monotonic() + self._patience
        with self.tell.waiting(f"waiting for {expected}"):
            while True:
                try:
                    seen = see()
                    if holds(seen):
                        return seen
                    instead = words(seen)
                except LookupError as error:  # not there yet
                    instead = str(error)
                if time.monotonic() > deadline:
                    raise self._failed(expected, instead)
                self._tick.wait(LOOK_EVERY)

    def holds(self, expected: str, truth: bool, seen: object) -> None:
        """Raises UserError unless `truth`."""
        if not truth:
            raise self._failed(expected, str(seen))

    def _failed(self, expected: str, seen: str) -> UserError:
        short = " ".join(seen.split())
        return UserError(
            "The step “{step}” did not happen. Expected: {expected}. Seen: {seen}. "
            "Play it by hand to find out more: passerelle demo",
            step=self.title,
            expected=expected,
            seen=short if len(short) <= 600 else short[:599] + "…",
        )

    # --- Slack --------------------------------------------------------------------------------------------------------

    def answered(self, answer: Answer) -> None:
        """The bot must have taken what somebody did, in time and without complaint."""
        complaint = isinstance(answer.body, dict) and "errors" in answer.body
        self.holds("the bot to take this within three seconds", answer.ok and not complaint, answer)

    def modal(self, person: str, field: str) -> Json:
        """The modal that this person has open, once it asks for `field`."""
        views = self.until(
            f"a modal that asks for “{field}”",
            lambda: self.slack.views(person),
            lambda views: bool(views) and field in {block.get("block_id") for block in views[-1]["blocks"]},
            lambda views: telling.modal(views[-1]) if views else "no modal",
        )
        return views[-1]

    def submit(self, person: str, **values: Any) -> None:
        """Fill the open modal and submit it."""
        view = self.slack.views(person)[-1]
        inputs = {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}
        for field, value in values.items():
            first, *more = _entered(inputs[field]["element"], value).splitlines()
            self.tell.does(f"{NAMES[person]} fills “{inputs[field]['label']['text']}”: {first}{' …' if more else ''}")
        self.tell.does(f"{NAMES[person]} presses “{view['submit']['text']}”.")
        self.answered(self.slack.submit(view["id"], values))

    def hears(self, person: str, *words: str) -> Json:
        """The next message from the bot to this person, which must hold all of `words`; it is shown."""
        read = self._read[person]
        messages = self.until(
            f"a message to {NAMES[person]} with {_listed(words)}",
            lambda: self.slack.dm(person)[read:],
            lambda messages: bool(messages),
            _said,
        )
        text = telling.message(messages[0])
        self.holds(f"a message to {NAMES[person]} with {_listed(words)}", all(word in text for word in words), text)
        self._read[person] += 1
        self.tell.sees(f"{NAMES[person]} reads, from {BOT.name}:", text)
        return messages[0]

    def nobody_hears(self) -> None:
        """Once the bot has nothing left to do, no message came that was not read already."""
        self.at_rest()
        unread = {NAMES[one]: len(self.slack.dm(one)) - read for one, read in self._read.items()}
        self.holds("no message to anybody", not any(unread.values()), unread)

    def at_rest(self) -> None:
        """Wait until the bot has done all it promised."""
        self.until("the bot to have done all it promised", self.undone, lambda effects: not effects, " / ".join)

    def undone(self) -> list[str]:
        """The keys of the calls that are not made yet, dead letters too; polling alone never ends."""
        with self.bot.store.read() as session:
            left = [effect for effect in overview.effects(session) if effect.kind not in ("poll", "watch")]
            return [f"{effect.key} {effect.error}".strip() for effect in left]

    def message(self, channel: str, *words: str) -> Json:
        """The one message in a channel that holds all of `words`, as soon as there is one."""
        found = self.until(
            f"one message with {_listed(words)}",
            lambda: self.slack.messages(channel),
            lambda messages: len(_with(messages, words)) == 1,
            _said,
        )
        return _with(found, words)[0]

    def press(self, person: str, message: Json, button: str, action: str) -> None:
        """Press a button of a message, in the conversation where the person sees it."""
        self.tell.does(f"{NAMES[person]} presses “{button}”.")
        where = next(
            channel
            for channel in (*CHANNELS, self.slack.dm_channel(person))
            if any(one["ts"] == message["ts"] for one in self.slack.messages(channel))
        )
        self.answered(self.slack.press(person, where, message["ts"], action))

    # --- the trackers and the helpdesk --------------------------------------------------------------------------------

    def issue(self, number: int, title: str) -> Json:
        """GitHub's issue of that number and title, as soon as it is there."""
        return self.until(
            f"the issue #{number} “{title}”",
            lambda: self.github.issue(REPOSITORY, number),
            lambda issue: issue["title"] == title,
            telling.issue,
        )

    def comment(self, number: int, *words: str) -> str:
        """The bot's comment on GitHub's issue that holds all of `words`, as soon as there is one."""
        login = self.github.login
        found = self.until(
            f"a comment of {login} on #{number} with {_listed(words)}",
            lambda: [one["body"] for one in self.github.issue(REPOSITORY, number)["comments"] if _by(one, login)],
            lambda bodies: any(all(word in body for word in words) for body in bodies),
        )
        return next(telling.markdown(body) for body in found if all(word in body for word in words))

    def gitlab_issue(self, number: int, *words: str) -> Json:
        """GitLab's issue of that number, as soon as it reads all of `words`."""
        return self.until(
            f"GitLab’s issue #{number} with {_listed(words)}",
            lambda: self.gitlab.issue(PROJECT, number),
            lambda issue: all(word in telling.gitlab_issue(issue) for word in words),
            telling.gitlab_issue,
        )

    def ticket(self, number: str, holds: Callable[[Json], bool], expected: str) -> Json:
        """A ticket, as soon as it `holds`."""
        return self.until(
            f"ticket {number} with {expected}", lambda: self.zendesk.ticket(number), holds, telling.ticket
        )


def _entered(element: Json, value: Any) -> str:
    """What somebody sees in an input after having put `value` there."""
    option = (
        value if isinstance(value, dict) else next((o for o in element.get("options", []) if o["value"] == value), None)
    )
    return option["text"]["text"] if option else str(value)


def _said(messages: list[Json]) -> str:
    return " / ".join(map(telling.message, messages)) or "no message"


def _listed(words: tuple[str, ...]) -> str:
    return " and ".join(f"“{word}”" for word in words)


def _with(messages: list[Json], words: tuple[str, ...]) -> list[Json]:
    return [one for one in messages if all(word in telling.message(one) for word in words)]


def _by(comment: Json, login: str) -> bool:
    return bool(comment["user"]["login"] == login)
