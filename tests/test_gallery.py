"""The gallery: every view in each state and language, within Slack's limits, and none forgotten."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import httpx2
import pytest

from bot.gallery import LANGUAGES, Sample, gallery, samples
from bot.slack import views
from bot.slack.views import parts
from integrations.sandbox.blocks import characters, problems
from integrations.sandbox.slack.views import check
from integrations.sandbox.world import Sandbox

MAKERS = {"modal.modal", "parts.post", "digest.fitting"}
"""What the views are made with: nobody shows these by themselves."""


@pytest.fixture(scope="module", params=LANGUAGES)
def shown(request: pytest.FixtureRequest) -> list[Sample]:
    return list(samples(request.param))


def makers() -> Iterator[str]:
    """Each public function of the views that makes a message, a view or blocks for somebody's message."""
    for found in pkgutil.iter_modules(views.__path__):
        module = importlib.import_module(f"{views.__name__}.{found.name}")
        for name, function in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("_") or function.__module__ != module.__name__:
                continue
            if function.__annotations__["return"] in ("Post", "View", "dict[str, Any]") or name == "preview":
                yield f"{found.name}.{name}"


def test_slack_takes_every_sample(shown: list[Sample]) -> None:
    """No limit is passed: a usual day, the longest that is realistic, and hostile words, in each language."""
    wrong = []
    for sample in shown:
        where = f"{sample.section}, {sample.title}, {sample.contents}"
        wrong += [f"{where}: {problem}" for problem in problems(sample.whole)]
        if sample.kind != "message":
            check(sample.whole)
        elif characters(sample.blocks) > 13_200 or parts.units(sample.text) > 3_000:
            wrong.append(f"{where}: too long")
    assert wrong == []


def test_nothing_calls_anybody_or_becomes_markup(shown: list[Sample]) -> None:
    """Where hostile words stand in mrkdwn, they call nobody, link nowhere, and turn no direction round."""
    for sample in shown:
        if sample.contents != "hostile":
            continue
        for text in [sample.text, *_mrkdwn(sample.blocks)]:
            assert "<!" not in text.replace("<!date^", ""), sample
            assert "<@" not in text, sample
            assert "<https://evil" not in text, sample
            assert not set("\u202e\u2067") & set(text), sample


def _mrkdwn(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if value.get("type") == "mrkdwn":
            yield value["text"]
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _mrkdwn(one)


def test_each_view_is_in_the_gallery() -> None:
    """Whoever adds a view adds its samples."""
    there = {sample.view for sample in samples("en")}
    assert sorted(set(makers()) - MAKERS - there) == []
    assert set(makers()) >= MAKERS


def test_titles_are_told_apart(shown: list[Sample]) -> None:
    """Two samples of a room never have the same title, and each stands in all three contents."""
    seen = [(sample.section, sample.title, sample.contents) for sample in shown]
    assert len(seen) == len(set(seen))
    titles = {(section, title) for section, title, _ in seen}
    assert len(seen) == 3 * len(titles)


def test_every_message_has_a_text_for_who_sees_no_blocks(shown: list[Sample]) -> None:
    """The plain text tells a screen reader and a notification what the blocks say; no sentence is left unfilled."""
    for sample in shown:
        if sample.kind == "message" and sample.view not in ("offers.preview", "likely.likely"):
            assert sample.text.strip(), sample
        if sample.contents == "ordinary":
            assert "{" not in str(sample.text), sample


def test_the_page_has_a_gallery_only_when_it_is_given_one() -> None:
    """The sandbox alone knows no bot: without samples the address is not found."""
    for given, status in ((gallery, 200), (None, 404)):
        sandbox = Sandbox(limits=False, gallery=given).start()
        try:
            with httpx2.Client(base_url=sandbox.page_url, trust_env=False) as client:
                assert client.get("gallery").status_code == status
                told = client.get("samples", params={"language": "fr"})
                assert told.status_code == status
                if given:
                    assert {one["language"] for one in told.json()} == {"fr"}
        finally:
            sandbox.stop()
