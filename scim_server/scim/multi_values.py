"""The values of one multi-valued attribute while a PATCH changes them (RFC 7643 2.4, RFC 7644 3.5.2)."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

from scim_server.domain.keys import fold
from scim_server.domain.observations import Json
from scim_server.scim.characteristics import Attribute
from scim_server.scim.errors import InvalidValue

LABELS = frozenset({"display", "primary", "$ref"})
"""Sub-attributes that tell values apart for nobody: adding a value again with another of these is no second value."""

MAX_COMPARISONS = 250_000
"""Comparisons with values of one attribute in one request, about a second of work: 10,000 operations on 25 values."""


class MultiValue:
    """The values of a multi-valued attribute; the given list and its values are never changed, only replaced.

    Two values are the same when all but their ``LABELS`` agree, texts by the attribute's ``caseExact``.
    """

    def __init__(self, attribute: Attribute, values: Sequence[Json]) -> None:
        self.attribute = attribute
        self.values = list(values)
        self._places: dict[Hashable, int] | None = None
        self._comparisons = 0

    def add(self, values: Iterable[Json]) -> None:
        """The values are there, none twice; one that was there keeps its place and gains the labels it lacked."""
        places = self._places if self._places is not None else self._index()
        for value in values:
            place = places.setdefault(self._identity(value), len(self.values))
            if place == len(self.values):
                self.values.append(value)
            elif isinstance(value, Mapping):
                self.values[place] = {**self.values[place], **{k: v for k, v in value.items() if k in LABELS}}
            if _is_primary(value):
                self._make_primary(place)

    def exchange(self, values: Sequence[Json]) -> None:
        """These values are there and no others."""
        self.values = list(values)
        self._places = None

    def discard(self, listed: Iterable[Mapping[str, Json]]) -> None:
        """Values that agree with a listed one in all it says, labels aside, are gone."""
        wanted: dict[tuple[str, ...], set[Hashable]] = {}
        for value in listed:
            names = self._telling(value)
            wanted.setdefault(names, set()).add(self._key(value, names))
        self._look_at_all(len(wanted))
        self.values = [
            value for value in self.values if not any(self._key(value, names) in keys for names, keys in wanted.items())
        ]
        self._places = None

    def select(self, matches: Callable[[Json], bool] | None, effort: int = 1) -> list[int]:
        """The places of the values that match; without a condition, all. ``effort`` is that of one question."""
        self._look_at_all(effort)
        return [place for place, value in enumerate(self.values) if matches is None or matches(value)]

    def put(self, changed: Mapping[int, Json | None], *, primary: bool) -> None:
        """Values at these places are exchanged, None takes one out, and values that became equal are one.

        With ``primary`` the exchanged value that is primary now is the only one (RFC 7644 section 3.5.2).
        Raises InvalidValue when that would be several.
        """
        chosen = [place for place, value in changed.items() if _is_primary(value)]
        if primary and len(chosen) > 1:
            raise InvalidValue(f"{self.attribute.name}: only one of the values may be primary")
        for place, value in changed.items():
            self.values[place] = value
        if primary and chosen:
            self._make_primary(chosen[0])
        self._look_at_all()
        self.values = list({_exact(value): value for value in self.values if value is not None}.values())
        self._places = None

    def _make_primary(self, chosen: int) -> None:
        self._look_at_all()
        for place, value in enumerate(self.values):
            if place != chosen and _is_primary(value):
                self.values[place] = {**value, "primary": False}

    def _index(self) -> dict[Hashable, int]:
        self._look_at_all()
        self._places = {}
        for place, value in enumerate(self.values):
            self._places.setdefault(self._identity(value), place)
        return self._places

    def _identity(self, value: Json) -> Hashable:
        names = self._telling(value)
        return names, self._key(value, names)

    def _telling(self, value: Json) -> tuple[str, ...]:
        if not isinstance(value, Mapping):
            return ("value",)
        return tuple(sorted(value.keys() - LABELS)) or tuple(sorted(value))

    def _key(self, value: Json, names: tuple[str, ...]) -> Hashable:
        if not isinstance(value, Mapping):
            return self._comparable(self.attribute, value)
        return tuple(self._comparable(self.attribute.sub(name), value.get(name)) for name in names)

    def _comparable(self, attribute: Attribute | None, value: Json) -> Hashable:
        if isinstance(value, str):
            return value if attribute is None or attribute.case_exact else fold(value)
        return _exact(value)

    def _look_at_all(self, times: int = 1) -> None:
        self._comparisons += len(self.values) * times
        if self._comparisons > MAX_COMPARISONS:
            raise InvalidValue(f"{self.attribute.name}: too many operations for so many values; send fewer at a time")


def _is_primary(value: Json) -> bool:
    return isinstance(value, Mapping) and value.get("primary") is True


def _exact(value: Json) -> Hashable:
    """A key equal for equal JSON values; unlike in Python, true is not 1."""
    if isinstance(value, Mapping):
        return frozenset((name, _exact(item)) for name, item in value.items())
    if isinstance(value, list):
        return tuple(_exact(item) for item in value)
    return (type(value) is bool, value)
