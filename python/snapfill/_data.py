"""Makes the data classes of this package of the JSON that the native half gives."""

from __future__ import annotations

import base64
import dataclasses
import json
import types
import typing
from typing import Any, TypeVar

T = TypeVar("T")


def one(kind: type[T], text: str) -> T:
    """One object of a class."""
    return typing.cast(T, _make(kind, json.loads(text)))


def maybe(kind: type[T], text: str) -> T | None:
    """One object of a class, where there is one."""
    return typing.cast("T | None", _make(kind, json.loads(text)))


def many(kind: type[T], text: str) -> list[T]:
    """A list of objects of a class."""
    return [typing.cast(T, _make(kind, value)) for value in json.loads(text)]


def of(kind: type[T], value: Any) -> T:
    """An object of a class, of JSON that was read."""
    return typing.cast(T, _make(kind, value))


_known: dict[type, dict[str, Any]] = {}


def _fields(kind: type) -> dict[str, Any]:
    """The fields of a class and their types."""
    fields = _known.get(kind)
    if fields is None:
        hints = typing.get_type_hints(kind)
        fields = {field.name: hints[field.name] for field in dataclasses.fields(kind)}
        _known[kind] = fields
    return fields


def _make(kind: Any, value: Any) -> Any:
    if value is None:
        return None
    origin = typing.get_origin(kind)
    if origin is list:
        (of,) = typing.get_args(kind)
        return [_make(of, item) for item in value]
    if origin in (typing.Union, types.UnionType):
        (kind,) = (arm for arm in typing.get_args(kind) if arm is not types.NoneType)
        return _make(kind, value)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        # What a later native half says more is left out.
        return kind(**{name: _make(of, value.get(name)) for name, of in _fields(kind).items()})
    if kind is bytes:
        return base64.b64decode(value)
    return value
