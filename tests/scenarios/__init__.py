"""Stories: connections that go well or badly, one function each. `STORIES` has them all by name."""

from tests.scenarios import failures, healthy, transport
from tests.scenarios.story import STORIES, Story

__all__ = ["STORIES", "Story", "failures", "healthy", "transport"]
