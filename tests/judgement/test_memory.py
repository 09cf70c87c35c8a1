"""What was worked out about an object is remembered by its identity."""

from __future__ import annotations

import pytest

from analyzer.judgement import memory
from analyzer.judgement.memory import per_object


class Thing:
    """Equal to every other thing."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        raise AssertionError("must not be asked for its hash")


def test_each_object_is_worked_out_once() -> None:
    asked: list[Thing] = []

    @per_object
    def answer(thing: Thing) -> int:
        asked.append(thing)
        return len(asked)

    one, other = Thing(), Thing()
    assert [answer(one), answer(other), answer(one), answer(other)] == [1, 2, 1, 2]


def test_an_id_is_never_taken_for_a_younger_object() -> None:
    @per_object
    def itself(thing: Thing) -> Thing:
        return thing

    for _ in range(100):
        thing = Thing()
        assert itself(thing) is thing


def test_the_oldest_answer_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "CAPACITY", 2)
    asked: list[int] = []

    @per_object
    def answer(thing: Thing, number: int) -> int:
        asked.append(number)
        return number

    thing = Thing()
    for number in (1, 2, 2, 3, 1):
        assert answer(thing, number) == number
    assert asked == [1, 2, 3, 1]
