"""`dataclass`: the standard library's, made in a third of the time.

Python 3.11 compiles the source of up to six functions for each data class, 0.4 ms a class: a quarter of the time until a
small capture is answered. Here each has an `__init__` of its own, and all share the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # what it is to mypy, which knows the standard one: its fields, frozen, dataclasses.replace
    from dataclasses import dataclass as dataclass
else:
    import dataclasses
    from functools import cache
    from operator import attrgetter

    def dataclass(**options):
        """The same options. A field of a frozen one is set once, by `__init__`. `order` takes the long way."""
        if "order" in options:
            return dataclasses.dataclass(**options)
        frozen, unsafe_hash = options.pop("frozen", False), options.pop("unsafe_hash", False)
        shared = {"__repr__": _repr} if options.pop("repr", True) else {}
        if options.pop("eq", True):
            shared |= {"__eq__": _eq, "__hash__": _hash if frozen or unsafe_hash else None}
        if frozen:
            shared |= {"__setattr__": _set_once, "__delattr__": _never_delete}

        def made(cls):
            for name, method in shared.items():
                if cls.__dict__.get(name) is None:  # to a class with an __eq__ of its own Python gives None as __hash__
                    setattr(cls, name, method)
            return dataclasses.dataclass(cls, eq=False, repr=False, **options)

        return made

    @cache
    def _compared(cls):
        """What gives the fields that two of this class are compared by."""
        names = [field.name for field in dataclasses.fields(cls) if field.compare]
        return attrgetter(*names) if names else lambda _: ()

    def _repr(self):
        shown = (f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def _eq(self, other):
        if other.__class__ is not self.__class__:
            return NotImplemented
        fields = _compared(self.__class__)
        return fields(self) == fields(other)

    def _hash(self):
        return hash(_compared(self.__class__)(self))

    def _set_once(self, name, value):
        if hasattr(self, name):
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        object.__setattr__(self, name, value)

    def _never_delete(self, name):
        raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
