"""The two state machines: where one can get, from where nothing leads on, and what late or doubled word changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hypothesis import given, strategies as st

from bot.model import OWED, WAITING, Confirmation, Happening, Reply, Stage, Step, WriteBack, confirm, move, step

stages, happenings = st.sampled_from(Stage), st.sampled_from(Happening)


def reached(start: set[object], ways: Callable[[object], Iterable[object]]) -> set[object]:
    """Everything that can be got to from `start`, itself included."""
    found, new = set(start), set(start)
    while new:
        new = {after for here in new for after in ways(here)} - found
        found |= new
    return found


def on_from(stage: object) -> set[object]:
    return {move(Stage(str(stage)), happening) for happening in Happening} - {stage}


def steps_from(state: object) -> set[object]:
    after = {step(WriteBack(str(state)), taken) for taken in Step if taken is not Step.UNMARK}
    return {one for one in after if one is not None}


def test_every_stage_can_be_reached() -> None:
    """From filing, each of the six."""
    assert reached({Stage.FILING}, on_from) == set(Stage)


def test_no_stage_is_an_end() -> None:
    """Shipped and declined can fall back, whatever happened an issue can still ship, and none is filed twice."""
    for stage in Stage:
        assert on_from(stage)
        assert Stage.SHIPPED in reached({stage}, on_from)
        assert Stage.FILING not in on_from(stage)


def test_what_ships_was_fixed_and_what_happens_was_filed() -> None:
    """No way leads round the proof's own stage, or round the tracker."""
    assert {stage for stage in Stage if Stage.SHIPPED in on_from(stage)} == {Stage.FIXED}
    assert on_from(Stage.FILING) == {Stage.FILED}


@given(stages, happenings)
def test_a_doubled_happening_changes_nothing(stage: Stage, happening: Happening) -> None:
    """Hearing the same twice is hearing it once."""
    once = move(stage, happening)
    assert move(once, happening) is once


@given(st.lists(happenings, max_size=30), st.data())
def test_repeating_any_of_a_history_at_once_changes_nothing(history: list[Happening], data: st.DataObject) -> None:
    """Each happening may come any number of times in a row: the stage is the same all along."""
    plain = doubled = Stage.FILING
    for happening in history:
        plain = move(plain, happening)
        for _ in range(data.draw(st.integers(1, 3))):
            doubled = move(doubled, happening)
        assert plain is doubled


@given(st.lists(happenings, max_size=30))
def test_customers_wait_until_shipped_or_declined_and_again_after_a_fall(history: list[Happening]) -> None:
    """However an issue came where it is: only those two stages are an end, and each later one was earned."""
    stage, seen = Stage.FILING, [Stage.FILING]
    for happening in history:
        stage = move(stage, happening)
        seen.append(stage)
    assert (stage in WAITING) == (stage not in (Stage.SHIPPED, Stage.DECLINED))
    if Stage.SHIPPED in seen:
        assert Stage.FIXED in seen[: seen.index(Stage.SHIPPED)]
    assert Stage.FILING not in seen[1:] or all(one is Stage.FILING for one in seen[: seen.index(Stage.FILING, 1)])


def test_every_state_of_a_write_back_can_be_reached_and_left_but_the_two_ends() -> None:
    """Due is where it begins; written and skipped are where it ends; from all others one of them can be reached."""
    assert reached({WriteBack.DUE}, steps_from) == set(WriteBack)
    ends = {state for state in WriteBack if not steps_from(state)}
    assert ends == {WriteBack.WRITTEN, WriteBack.SKIPPED}
    assert set(WriteBack) - ends == OWED
    for state in OWED:
        assert ends & reached({state}, steps_from)


@given(st.lists(st.sampled_from(Step), max_size=30))
def test_a_customer_gets_at_most_one_certain_reply(taken: list[Step]) -> None:
    """Whatever people and services do in any order: nothing is sent after it is written, nor while it may be out."""
    state, certain, marked = WriteBack.DUE, 0, False  # marked: nothing of ours was sent
    for one in taken:
        after = step(state, one)
        if after is None or (one is Step.UNMARK and not marked):
            continue
        certain -= one is Step.UNMARK
        marked = one is Step.MARK_WRITTEN
        if one is Step.SEND:
            assert state is WriteBack.DUE
        certain += one in (Step.SENT, Step.MARK_WRITTEN)
        state = after
    assert certain <= 1
    assert (state is WriteBack.WRITTEN) == (certain == 1)


@given(st.sampled_from(WriteBack), st.sampled_from(Step))
def test_no_step_can_be_taken_twice_in_a_row(state: WriteBack, taken: Step) -> None:
    """A second press of the same button is refused, so nothing comes of it."""
    after = step(state, taken)
    assert after is None or step(after, taken) is None


def test_no_word_is_never_taken_for_a_good_one() -> None:
    """Only an agent who read the customer says that it works; and after any word it can still turn out broken."""
    assert confirm(Confirmation.WAITING, Reply.SILENCE) is Confirmation.SILENT
    works = {(state, reply) for state in Confirmation for reply in Reply if confirm(state, reply) is Confirmation.WORKS}
    assert {reply for _, reply in works} == {Reply.WORKS}
    broken = {state for state in Confirmation if confirm(state, Reply.STILL_BROKEN) is not None}
    assert broken == set(Confirmation) - {Confirmation.STILL_BROKEN}


@given(st.sampled_from(Confirmation), st.sampled_from(Reply))
def test_no_confirmation_is_said_twice(state: Confirmation, reply: Reply) -> None:
    """A second press of the same button is refused; a customer can say more than one word."""
    after = confirm(state, reply)
    assert after is None or reply is Reply.ANSWER or confirm(after, reply) is None
