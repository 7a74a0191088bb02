"""Text: Cedar policies read into the form that Cedar's JSON has for them, one method for each level of its grammar.

Bounded: expressions nest at most `_NESTING_MAX` deep, and operators stand at most `_LEVELS_MAX` above one another, so that
whoever walks the form needs little stack.
"""

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

from kernos.adapters.cedar.pure.extensions import CONSTRUCTORS, METHODS
from kernos.adapters.cedar.pure.tokens import Token, Unreadable, pattern, string, tokens
from kernos.adapters.cedar.shape import LONG_MAX, RESERVED

Node = dict[str, Any]
T = TypeVar("T")

_NESTING_MAX = 40
"""Brackets and `if` inside one another: far above any rule that a person can read."""
_LEVELS_MAX = 100
"""Operators above one another: a chain of as many `&&` as well."""
_SIGNS_MAX = 4  # Cedar's own bound of `!` or `-` in a row.
_VARIABLES = frozenset({"principal", "action", "resource", "context"})
_COMPARING = frozenset({"==", "!=", "<", "<=", ">", ">=", "in"})
_RELATING = _COMPARING | {"has", "like", "is"}
_DIGITS_MAX = 19
_SHOWN_MAX = 40
_OF_ONE = frozenset({"contains", "containsAll", "containsAny", "getTag", "hasTag"})


def read(text: str) -> list[tuple[Node, bool]]:
    """Return the form of each policy, and whether it is a template. Raises Unreadable."""
    reader = _Reader(text)
    found = []
    while reader.token.kind != "end":
        found.append(reader.policy())
    return found


class _Reader:
    """One pass over one text."""

    def __init__(self, text: str) -> None:
        self._tokens = tokens(text)
        self._nesting = 0
        self._slots = False
        self.token = next(self._tokens)

    def policy(self) -> tuple[Node, bool]:
        """Read one policy up to its semicolon."""
        start, self._slots = self.token.offset, False
        annotations = self._annotations()
        effect = self._word("`permit` or `forbid`")
        if effect.text not in ("permit", "forbid"):
            self._fail("a policy begins with `permit` or `forbid`", effect)
        self._sign("(")
        form: Node = {"effect": effect.text, "principal": self._scope("principal")}
        self._sign(",")
        form["action"] = self._scope("action")
        self._sign(",")
        form["resource"] = self._scope("resource")
        self._take(",")
        self._sign(")")
        form["conditions"] = []
        while self.token.kind == "word":
            form["conditions"].append(self._condition())
        self._sign(";")
        if annotations:
            form["annotations"] = annotations
        if _levels(form) > _LEVELS_MAX:
            message = f"its operators stand more than {_LEVELS_MAX} above one another"
            raise Unreadable(message, start)
        return form, self._slots

    def _annotations(self) -> dict[str, str | None]:
        found: dict[str, str | None] = {}
        while self._take("@"):
            name = self._word("the name of an annotation")
            if name.text in found:
                self._fail(f"@{name.text} stands there twice", name)
            found[name.text] = None
            if self._take("("):
                found[name.text] = string(self._of("string", "a string"))
                self._sign(")")
        return found

    def _condition(self) -> Node:
        kind = self._word("`when` or `unless`")
        if kind.text not in ("when", "unless"):
            self._fail("a condition begins with `when` or `unless`", kind)
        self._sign("{")
        body = self._expression()
        self._sign("}")
        return {"kind": kind.text, "body": body}

    # --- the head ---

    def _scope(self, variable: str) -> Node:
        found = self._word(f"`{variable}`")
        if found.text != variable:
            self._fail(f"the variable `{variable}` stands here", found)
        if variable == "action":
            return self._action_scope()
        if self._take("=="):
            return {"op": "==", **self._one(variable)}
        if self._take("in"):
            return {"op": "in", **self._one(variable)}
        if self._take("is"):
            kind = {"op": "is", "entity_type": self._path()}
            return {**kind, "in": self._one(variable)} if self._take("in") else kind
        return {"op": "All"}

    def _action_scope(self) -> Node:
        if self._take("=="):
            return {"op": "==", "entity": self._action()}
        if self._take("in"):
            several = self._bracketed(self._actions)
            return {"op": "in", "entity": several[0]} if len(several) == 1 else {"op": "in", "entities": several}
        return {"op": "All"}

    def _actions(self) -> list[Node]:
        return self._listed("]", self._action) if self._take("[") else [self._action()]

    def _action(self) -> Node:
        start = self.token
        entity = self._bracketed(self._entity)
        if entity["type"].rpartition("::")[2] != "Action":
            self._fail(f'the type of an action is `Action`, and this is {entity["type"]}::"{entity["id"]}"', start)
        return entity

    def _one(self, variable: str) -> Node:
        return self._bracketed(lambda: self._slot_or_entity(variable))

    def _slot_or_entity(self, variable: str) -> Node:
        if self.token.kind != "slot":
            return {"entity": self._entity()}
        slot = self._next()
        if slot.text != f"?{variable}":
            self._fail(f"the slot here is ?{variable}", slot)
        self._slots = True
        return {"slot": slot.text}

    def _bracketed(self, inner: Callable[[], T]) -> T:
        depth = 0
        while self._take("("):
            depth += 1
        found = inner()
        for _ in range(depth):
            self._sign(")")
        return found

    def _entity(self) -> Node:
        path = self._path(before_string=True)
        return {"type": path, "id": string(self._of("string", "the id of an entity, a string"))}

    def _path(self, *, before_string: bool = False) -> str:
        names = [self._name()]
        while self._take("::"):
            if before_string and self.token.kind == "string":
                return "::".join(names)
            names.append(self._name())
        if before_string:
            self._fail('an entity is written as Type::"id"')
        return "::".join(names)

    # --- expressions, from the loosest binding to the tightest ---

    def _expression(self) -> Node:
        if self._nesting == _NESTING_MAX:
            self._fail(f"expressions nest more than {_NESTING_MAX} deep")
        self._nesting += 1
        if self._take("if"):
            chosen = {"if": self._expression()}
            self._sign("then")
            chosen["then"] = self._expression()
            self._sign("else")
            chosen["else"] = self._expression()
            found: Node = {"if-then-else": chosen}
        else:
            found = self._chain(("||",), lambda: self._chain(("&&",), self._relation))
        self._nesting -= 1
        return found

    def _chain(self, signs: tuple[str, ...], inner: Callable[[], Node]) -> Node:
        left = inner()
        while self._at(*signs):
            sign = self._next().text
            left = {sign: {"left": left, "right": inner()}}
        return left

    def _sum(self) -> Node:
        return self._chain(("+", "-"), lambda: self._chain(("*",), self._unary))

    def _relation(self) -> Node:
        left = self._sum()
        if not self._at(*_RELATING):
            return left
        sign = self._next().text
        if sign == "has":
            found = self._has(left)
        elif sign == "like":
            found = {"like": {"left": left, "pattern": pattern(self._of("string", "a pattern, a string"))}}
        elif sign == "is":
            tested = {"left": left, "entity_type": self._path()}
            found = {"is": {**tested, "in": self._sum()} if self._take("in") else tested}
        else:
            found = {sign: {"left": left, "right": self._sum()}}
        if self._at(*_RELATING):
            self._fail("put comparisons that follow one another into parentheses")
        return found

    def _has(self, left: Node) -> Node:
        """`a has b.c` means `a has b && a.b has c`."""
        if self.token.kind == "string":
            return {"has": {"left": left, "attr": string(self._next())}}
        name = self._name()
        found: Node = {"has": {"left": left, "attr": name}}
        while self._take("."):
            left = {".": {"left": left, "attr": name}}
            name = self._name()
            found = {"&&": {"left": found, "right": {"has": {"left": left, "attr": name}}}}
        return found

    def _unary(self) -> Node:
        sign, first = self.token.text, self.token
        if not self._at("!", "-"):
            return self._member()
        count = 0
        while self._take(sign):
            count += 1
        if count > _SIGNS_MAX:
            self._fail(f"at most {_SIGNS_MAX} of {sign} stand in a row", first)
        number = self.token
        if sign == "-" and number.kind == "number":
            self._next()
            if self._at(".", "["):
                found = self._access(self._long(number))
            else:
                found, count = self._long(number, negative=True), count - 1
        else:
            found = self._member()
        for _ in range(count):
            found = {"!" if sign == "!" else "neg": {"arg": found}}
        return found

    def _member(self) -> Node:
        return self._access(self._primary())

    def _access(self, found: Node) -> Node:
        while self._at(".", "["):
            if self._take("["):
                found = {".": {"left": found, "attr": string(self._of("string", "the name of an attribute, a string"))}}
                self._sign("]")
                continue
            self._next()
            start = self.token
            name = self._name()
            if self._take("("):
                found = self._call(found, name, self._listed(")", self._expression), start)
            else:
                found = {".": {"left": found, "attr": name}}
        return found

    def _call(self, left: Node, method: str, arguments: list[Node], start: Token) -> Node:
        if method in METHODS:
            return {method: [left, *arguments]}
        if method not in _OF_ONE and method != "isEmpty":
            self._fail(f"`{method}` is no method", start)
        wanted = int(method in _OF_ONE)
        if len(arguments) != wanted:
            self._fail(f"`{method}` takes {wanted} arguments, and here are {len(arguments)}", start)
        return {method: {"left": left, "right": arguments[0]} if arguments else {"arg": left}}

    def _primary(self) -> Node:
        token = self.token
        if token.kind == "number":
            return self._long(self._next())
        if token.kind == "string":
            return {"Value": string(self._next())}
        if self._take("("):
            found = self._expression()
            self._sign(")")
            return found
        if self._take("["):
            return {"Set": self._listed("]", self._expression)}
        if self._take("{"):
            return self._record()
        if token.text in ("true", "false"):
            return {"Value": self._next().text == "true"}
        return self._named()

    def _named(self) -> Node:
        """Read a variable, an entity, or a call of an extension's constructor."""
        start = self.token
        path = [self._name()]
        while self._take("::"):
            if self.token.kind == "string":
                return {"Value": {"__entity": {"type": "::".join(path), "id": string(self._next())}}}
            path.append(self._name())
        name = "::".join(path)
        if self._take("("):
            if name not in CONSTRUCTORS:
                self._fail(f"`{name}` is no function", start)
            return {name: self._listed(")", self._expression)}
        if name not in _VARIABLES:
            self._fail(f"there is no variable `{name}`; there are principal, action, resource and context", start)
        return {"Var": name}

    def _record(self) -> Node:
        found: Node = {}
        while not self._take("}"):
            start = self.token
            name = string(self._next()) if start.kind == "string" else self._name()
            if name in found:
                self._fail(f"the record has `{name}` twice", start)
            self._sign(":")
            found[name] = self._expression()
            if not self._take(","):
                self._sign("}")
                break
        return {"Record": found}

    def _long(self, token: Token, *, negative: bool = False) -> Node:
        digits = token.text.lstrip("0") or "0"
        value = int(digits) if len(digits) <= _DIGITS_MAX else LONG_MAX + 2
        if value > LONG_MAX + negative:
            self._fail("this number is beyond the 64 bits of a Long", token)
        return {"Value": -value if negative else value}

    # --- tokens ---

    def _next(self) -> Token:
        token = self.token
        self.token = next(self._tokens)
        return token

    def _at(self, *signs: str) -> bool:
        return self.token.kind in ("sign", "word") and self.token.text in signs

    def _take(self, sign: str) -> bool:
        """Pass over a sign or a word of the language, where it comes next."""
        found = self._at(sign)
        if found:
            self._next()
        return found

    def _sign(self, sign: str) -> None:
        if not self._take(sign):
            self._unexpected(f"`{sign}`")

    def _of(self, kind: str, wanted: str) -> Token:
        if self.token.kind != kind:
            self._unexpected(wanted)
        return self._next()

    def _word(self, wanted: str) -> Token:
        return self._of("word", wanted)

    def _name(self) -> str:
        token = self._word("a name")
        if token.text in RESERVED:
            self._fail(f"`{token.text}` is reserved and cannot be a name here", token)
        return token.text

    def _listed(self, close: str, inner: Callable[[], Node]) -> list[Node]:
        found: list[Node] = []
        while not self._take(close):
            found.append(inner())
            if not self._take(","):
                self._sign(close)
                break
        return found

    def _unexpected(self, wanted: str) -> NoReturn:
        found = f"`{self.token.text[:_SHOWN_MAX]}`" if self.token.text else "the end"
        self._fail(f"{wanted} is missing before {found}")

    def _fail(self, message: str, token: Token | None = None) -> NoReturn:
        raise Unreadable(message, (token or self.token).offset)


def _levels(form: Node) -> int:
    """Return how many operators stand above one another at most: each is an object within an object or list."""
    deepest, rest = 0, [(condition["body"], 1) for condition in form["conditions"]]
    while rest:
        node, level = rest.pop()
        deepest = max(deepest, level)
        parts = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
        rest.extend((part, level + 1) for part in parts)
    return deepest // 2
