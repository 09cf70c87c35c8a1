"""Our `dataclass` behaves as the standard library's, whose docs it is held to."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError, field, replace
from typing import Any

import pytest

from analyzer import dataclass as quick
from analyzer.dataclass import dataclass

OPTIONS: tuple[dict[str, bool], ...] = (
    {},
    {"frozen": True},
    {"eq": False},
    {"unsafe_hash": True},
    {"repr": False},
    {"order": True},
    {"kw_only": True},
)
Maker = Callable[..., Any]


def point(maker: Maker, options: dict[str, bool]) -> Any:
    """A class made by this decorator."""

    class Point:
        x: int
        name: str = field(default="p", compare=False)
        seen: list[int] = field(default_factory=list, repr=False, hash=None)

    return maker(slots=True, **options)(Point)


def outcome(call: Callable[[], object]) -> object:
    """What it gives, or which error."""
    try:
        return call()
    except Exception as error:
        return type(error)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_it_behaves_as_the_standard_one(options: dict[str, bool]) -> None:
    standard, ours = point(dataclasses.dataclass, options), point(quick.dataclass, options)

    def behaviour(cls: Any) -> list[object]:
        one, same, other = cls(x=1), cls(x=1, name="q"), cls(x=2)
        return [
            one == same,
            one == other,
            one == 1,
            "object at" in repr(one) or repr(one),
            outcome(lambda: cls(1).x),
            outcome(lambda: one < other),
            outcome(lambda: hash(one) == hash(same)),
            outcome(lambda: setattr(copy.copy(one), "x", 3)),
            outcome(lambda: delattr(copy.copy(one), "x")),
            outcome(lambda: setattr(copy.copy(one), "unknown", 3)) is None,
            replace(one, x=5).x,
            dataclasses.asdict(one),
            [known.name for known in dataclasses.fields(one)],
            cls.__hash__ is None,
            cls.__match_args__,
        ]

    assert behaviour(ours) == behaviour(standard)


@dataclass(frozen=True, slots=True)
class Named:
    """One with functions of its own."""

    name: str

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Named) and self.name.lower() == other.name.lower()

    def __hash__(self) -> int:
        return 7


@dataclass(slots=True)
class Empty:
    """One without fields."""


@dataclass(frozen=True, slots=True)
class Marked(Named):
    """One that inherits."""

    mark: int = 0


def test_functions_of_its_own_are_kept() -> None:
    assert Named("A") == Named("a")
    assert hash(Named("A")) == 7
    assert repr(Named("A")) == "Named(name='A')"


def test_two_without_fields_are_equal() -> None:
    assert Empty() == Empty()


def test_a_frozen_one_goes_through_pickle_and_stays_frozen() -> None:
    again = pickle.loads(pickle.dumps(Marked("A", 2)))
    assert again == Marked("A", 2)
    with pytest.raises(FrozenInstanceError):
        again.mark = 3
