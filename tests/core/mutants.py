"""Mutants: small changes of a file, each of which a test of what the file does ought to notice.

Not changed: words for people (docstrings, texts with a space, messages of errors), annotations, and asserts, which state what holds anyway.
"""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_CALCULATED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
    ast.Mod: ast.Add, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
_WORDS = frozenset({"message", "hint", "what", "where", "why", "help"})
"""Names and keywords whose texts are for people."""

_NOTHING = frozenset({"None", "''", "()", "False", "frozenset()"})
"""What is as false as None: callers ask no further."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one file."""

    path: Path
    line: int
    begin: int
    end: int
    """Bytes of the file that are replaced."""
    old: str
    new: str

    def text(self) -> str:
        """Return the whole file, changed."""
        source = self.path.read_bytes()
        return (source[: self.begin] + self.new.encode() + source[self.end :]).decode()


def mutants_of(path: Path) -> list[Mutant]:
    """Return the changes of a file, in order. What would not compile is none."""
    source = path.read_bytes()
    begins = [0]
    for line in source.splitlines(keepends=True):
        begins.append(begins[-1] + len(line))
    found: list[Mutant] = []
    for node, new in _changes(ast.parse(source)):
        begin = begins[node.lineno - 1] + node.col_offset
        end = begins[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        mutant = Mutant(path, node.lineno, begin, end, source[begin:end].decode(), new)
        try:
            compile(mutant.text(), str(path), "exec")
        except SyntaxError:
            continue
        found.append(mutant)
    return found


type_of_change = tuple[ast.expr | ast.stmt, str]


def _changes(node: ast.AST) -> Iterator[type_of_change]:
    """Yield the changes of a node and of all below it."""
    match node:
        case ast.Assert() | ast.JoinedStr() | ast.AnnAssign(value=None) | ast.Import() | ast.ImportFrom():
            return
        case ast.Expr(value=ast.Constant()):
            return
        case ast.Assign(targets=[ast.Name(id=name)]) if name in _WORDS or name.startswith("__"):
            return
        case ast.Raise():
            yield node, "pass"
            return
        case ast.AnnAssign(value=value) if value is not None:
            yield from _changes(value)
            return
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            for one in [*node.args.defaults, *(default for default in node.args.kw_defaults if default), *node.body]:
                yield from _changes(one)
            return
        case ast.ClassDef():
            for one in node.body:
                yield from _changes(one)
            return
    if isinstance(node, ast.stmt):
        yield from _statement(node)
    if isinstance(node, ast.expr):
        yield from _expression(node)
    for child in _below(node):
        yield from _changes(child)


def _statement(node: ast.stmt) -> Iterator[type_of_change]:
    match node:
        case ast.Expr(value=ast.Call() | ast.Await()) | ast.AugAssign() | ast.Delete(targets=[ast.Subscript()]):
            yield node, "pass"
        case ast.Return(value=value) if value is not None and ast.unparse(value) not in _NOTHING:
            yield node, "return None"
        case ast.Continue():
            yield node, "break"
        case ast.Break():
            yield node, "continue"
        case ast.If(test=test) | ast.While(test=test) if isinstance(
            test, ast.Name | ast.Call | ast.Attribute | ast.NamedExpr
        ):
            yield test, f"(not ({ast.unparse(test)}))"


def _expression(node: ast.expr) -> Iterator[type_of_change]:
    match node:
        case ast.Compare(ops=ops):
            for place, op in enumerate(ops):
                new = [*ops[:place], _COMPARED[type(op)](), *ops[place + 1 :]]
                yield node, _written(ast.Compare(node.left, new, node.comparators))
        case ast.BoolOp(op=op, values=values):
            yield node, _written(ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values))
            for place in range(len(values)):
                rest = [*values[:place], *values[place + 1 :]]
                yield node, _written(rest[0] if len(rest) == 1 else ast.BoolOp(op, rest))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield node, _written(operand)
        case ast.BinOp(op=op, left=left, right=right) if type(op) in _CALCULATED and not _is_text(left, right):
            yield node, _written(ast.BinOp(left, _CALCULATED[type(op)](), right))
        case ast.IfExp(test=test, body=body, orelse=other):
            yield node, _written(ast.IfExp(test, other, body))
        case ast.Constant(value=bool(value)):
            yield node, str(not value)
        case ast.Constant(value=int(number)):
            yield node, f"({number + 1})"
        case ast.Constant(value=str(text)) if text and " " not in text:
            yield node, repr("XX" + text)
        case ast.Call(args=args, keywords=keywords) if any(one.arg not in {*_WORDS, None} for one in keywords):
            for place, one in enumerate(keywords):
                if one.arg not in {*_WORDS, None}:
                    yield node, _written(ast.Call(node.func, args, [*keywords[:place], *keywords[place + 1 :]]))
        case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
            for generator in node.generators:
                for test in generator.ifs:
                    if not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp):
                        yield test, f"(not ({ast.unparse(test)}))"


def _below(node: ast.AST) -> Sequence[ast.AST]:
    """Return what stands below a node and is not for people."""
    if isinstance(node, ast.Call):
        return [node.func, *node.args, *(one.value for one in node.keywords if one.arg not in _WORDS)]
    return [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.JoinedStr)]


def _is_text(*sides: ast.expr) -> bool:
    return any(
        isinstance(side, ast.JoinedStr) or (isinstance(side, ast.Constant) and isinstance(side.value, str))
        for side in sides
    )


def _written(node: ast.expr) -> str:
    return f"({ast.unparse(ast.fix_missing_locations(node))})"
