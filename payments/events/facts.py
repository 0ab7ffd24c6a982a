"""What a fact is: a frozen dataclass with a name, declared by the domain that says it.

    @dataclass(frozen=True, kw_only=True)
    class OrderPaid(Fact):
        name = "order.paid"
        order_id: str
        paid_at: datetime

        @property
        def subject(self) -> str:
            return self.order_id

        @property
        def occurred_at(self) -> datetime:
            return self.paid_at

Declaring the class registers it. Fields are text, whole numbers, truth values, dates, aware
moments, enums of text, and tuples and mappings of these; never `float`.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, ClassVar, Final, Self, Union, get_args, get_origin, get_type_hints

from payments.kernel.errors import Invalid, NotFound
from payments.kernel.ids import BookId

_NAME: Final = re.compile(r"[a-z][a-z0-9-]*(\.[a-z][a-z0-9-]*)+", re.ASCII)
_REGISTRY: Final[dict[str, type["Fact"]]] = {}


class FactUnknown(NotFound):
    """No installed package declares a fact of this name."""

    code = "fact-unknown"
    zh = "未知的事件"
    en = "No such fact is declared"


class FactUnreadable(Invalid):
    """The stored fields do not fit the declared fact, or its version is not understood."""

    code = "fact-unreadable"
    zh = "事件内容无法读取"
    en = "The fact cannot be read"


@dataclass(frozen=True, kw_only=True)
class Fact(ABC):
    """Something that became true in a book. `subject` is the id of the thing it is about.

    `version` grows when fields change; `upgrade` then reads what older versions stored. `published`
    names the fields that the merchant of the book is told in a callback; with none, it is ours.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    published: ClassVar[tuple[str, ...]] = ()

    book_id: BookId

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if not _NAME.fullmatch(cls.name):
            raise TypeError(f"name {cls.__qualname__} like 'order.paid', not {cls.name!r}")
        known = _REGISTRY.get(cls.name)
        if known and (known.__module__, known.__qualname__) != (cls.__module__, cls.__qualname__):
            raise TypeError(f"the fact {cls.name} is declared twice: {known} and {cls}")
        _REGISTRY[cls.name] = cls

    @property
    @abstractmethod
    def subject(self) -> str:
        """Name what the fact is about; facts of one subject are told in order."""

    @property
    @abstractmethod
    def occurred_at(self) -> datetime:
        """Return when it became true, aware."""

    @classmethod
    def upgrade(cls, stored: Mapping[str, Any], *, version: int) -> Mapping[str, Any]:
        """Return fields stored by `version` as this version has them. Raises FactUnreadable."""
        if version != cls.version:
            raise FactUnreadable(f"{cls.name} version {version}, understood is {cls.version}")
        return stored

    def to_fields(self) -> dict[str, Any]:
        """Return the fields as JSON has them."""
        return {field.name: _to_json(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_fields(cls, stored: Mapping[str, Any], *, version: int) -> Self:
        """Rebuild the fact from its stored fields. Raises FactUnreadable."""
        hints = get_type_hints(cls)
        upgraded = cls.upgrade(stored, version=version)
        try:
            return cls(**{key: _from_json(value, hints[key]) for key, value in upgraded.items()})
        except (KeyError, TypeError, ValueError) as error:
            raise FactUnreadable(f"{cls.name}: {error}") from error


def fact_class(name: str) -> type[Fact]:
    """Return the class registered under a name. Raises FactUnknown."""
    found = _REGISTRY.get(name)
    if found is None:
        raise FactUnknown(name)
    return found


def declared() -> Mapping[str, type[Fact]]:
    """Return every declared fact by name."""
    return dict(_REGISTRY)


def _to_json(value: Any) -> Any:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise FactUnreadable("a moment without a time zone")
        return value.isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _to_json(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_to_json(item) for item in value]
    if value is None or isinstance(value, str | int):
        return str(value) if isinstance(value, StrEnum) else value
    raise FactUnreadable(f"a fact cannot hold a {type(value).__name__}")


def _from_json(value: Any, hint: Any) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        if value is None and NoneType in arguments:
            return None
        (hint,) = (one for one in arguments if one is not NoneType)
        return _from_json(value, hint)
    if origin in {tuple, list}:
        return origin(_from_json(item, arguments[0]) for item in value)
    if origin is not None:
        return {key: _from_json(item, arguments[1]) for key, item in value.items()}
    if isinstance(hint, type) and issubclass(hint, datetime | date):
        return hint.fromisoformat(value)
    return hint(value) if isinstance(hint, type) and issubclass(hint, StrEnum) else value
