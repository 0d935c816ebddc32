# Copyright (c) 2026 the graceful authors. Boost Software License 1.0, see LICENSE.
"""The interfaces as docs/protocol.md defines them, to check messages against them."""

from __future__ import annotations

import dataclasses
import pathlib
import re
from typing import Any, Callable

PROTOCOL = pathlib.Path(__file__).resolve().parents[2] / "docs" / "protocol.md"

Check = Callable[[Any], bool]


class Undocumented(Exception):
    """A message that the document does not allow."""


@dataclasses.dataclass(frozen=True)
class Field:
    name: str
    optional: bool
    check: Check


def is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


BUILT_IN: dict[str, Check] = {
    "bool": lambda value: isinstance(value, bool),
    "int": is_integer,
    "string": lambda value: isinstance(value, str),
}


def fault(fields: list[Field], value: Any) -> str | None:
    """Returns what is wrong with an object that must have these fields; it may have others too."""
    if not isinstance(value, dict):
        return "is no object"
    for field in fields:
        if value.get(field.name) is None:
            if not field.optional:
                return f"lacks '{field.name}'"
        elif not field.check(value[field.name]):
            return f"has {value[field.name]!r} for '{field.name}'"
    return None


def excess(fields: list[Field], value: dict[str, Any]) -> str | None:
    unknown = set(value) - {field.name for field in fields}
    return f"has {sorted(unknown)}" if unknown else None


class Interface:
    """Reads the part of the Varlink grammar that the document uses."""

    TOKEN = re.compile(r"#[^\n]*|->|\[string\]|\[\]|[?():,]|[A-Za-z][\w.]*")

    def __init__(self, text: str) -> None:
        self.text = text
        self.methods: dict[str, tuple[list[Field], list[Field]]] = {}
        self.errors: dict[str, list[Field]] = {}
        self._types: dict[str, list[Field]] = {}
        self._tokens = [t for t in self.TOKEN.findall(text) if not t.startswith("#")]
        self._expect("interface")
        self.name = self._next()
        while self._tokens:
            self._member()

    def _next(self) -> str:
        return self._tokens.pop(0)

    def _expect(self, token: str) -> None:
        if (found := self._next()) != token:
            raise ValueError(f"'{found}' instead of '{token}' in an interface of {PROTOCOL}")

    def _member(self) -> None:
        kind, name = self._next(), self._next()
        if kind == "type":
            self._types[name] = self._fields()
        elif kind == "error":
            self.errors[name] = self._fields()
        else:
            takes = self._fields()
            self._expect("->")
            self.methods[name] = (takes, self._fields())

    def _fields(self) -> list[Field]:
        fields = []
        self._expect("(")
        while self._tokens[0] != ")":
            name = self._next()
            self._expect(":")
            optional = self._tokens[0] == "?"
            if optional:
                self._next()
            fields.append(Field(name, optional, self._type()))
            if self._tokens[0] == ",":
                self._next()
        self._next()
        return fields

    def _type(self) -> Check:
        token = self._next()
        if token == "[]":
            each = self._type()
            return lambda value: isinstance(value, list) and all(map(each, value))
        if token == "[string]":
            each = self._type()
            return lambda value: isinstance(value, dict) and all(map(each, value.values()))
        if token in BUILT_IN:
            return BUILT_IN[token]
        return lambda value: not (fault(self._types[token], value) or excess(self._types[token], value))


def read_interfaces() -> dict[str, Interface]:
    blocks = re.findall(r"^```varlink\n(.*?)^```", PROTOCOL.read_text(), re.MULTILINE | re.DOTALL)
    return {interface.name: interface for interface in map(Interface, blocks)}


class Protocol:
    """Raises Undocumented for what the document does not contain. Ignores interfaces of others."""

    def __init__(self) -> None:
        self.interfaces = read_interfaces()

    def check_call(self, method: str, parameters: Any) -> None:
        interface, name = self._split(method)
        if interface:
            if name not in interface.methods:
                raise Undocumented(f"there is no {method}")
            self._check(method, interface.methods[name][0], parameters)

    def fault_of_call(self, method: str, parameters: Any) -> str | None:
        """Checks a call like a server, which ignores unknown parameters."""
        interface, name = self._split(method)
        known = interface.methods.get(name) if interface else None
        return fault(known[0], parameters) if known else None

    def check_reply(self, method: str, parameters: Any) -> None:
        interface, name = self._split(method)
        if interface:
            self._check(f"the reply of {method}", interface.methods[name][1], parameters)

    def check_error(self, error: str, parameters: Any) -> None:
        interface, name = self._split(error)
        if interface:
            if name not in interface.errors:
                raise Undocumented(f"there is no {error}")
            self._check(error, interface.errors[name], parameters)

    def check_answer(self, method: str, answer: dict[str, Any]) -> None:
        parameters = answer.get("parameters") or {}
        if "error" in answer:
            self.check_error(answer["error"], parameters)
        else:
            self.check_reply(method, parameters)

    def _split(self, full: str) -> tuple[Interface | None, str]:
        interface, _, name = full.rpartition(".")
        return self.interfaces.get(interface), name

    @staticmethod
    def _check(what: str, fields: list[Field], value: Any) -> None:
        if wrong := fault(fields, value) or excess(fields, value):
            raise Undocumented(f"{what} {wrong}")
