"""Small faults put into a module's code, one at a time."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult, ast.Mod: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.LShift: ast.RShift, ast.RShift: ast.LShift,
}  # fmt: skip
_CALLED = {
    "min": "max", "max": "min", "any": "all", "all": "any", "minimum": "maximum",
    "maximum": "minimum", "argmin": "argmax", "abs": "float", "rint": "trunc",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A module with one fault.

    Args:
        where: The function or class it is in; empty for the module itself.
        was: The code as it stands.
        now: What it became.
        nth: Which of those alike, from 1.
        tree: The whole module.
    """

    where: str
    was: str
    now: str
    nth: int
    tree: ast.Module

    @property
    def name(self) -> str:
        """Says which one it is, as long as the code stays as it is."""
        again = f" #{self.nth}" if self.nth > 1 else ""
        return f"{self.where or 'module'}{again}: {self.was} -> {self.now}"


def mutants(source: str) -> Iterator[Mutant]:
    """Every fault, in the order of the code."""
    seen: Counter[tuple[str, str, str]] = Counter()
    for index, (node, where, _) in enumerate(_nodes(ast.parse(source))):
        for change in range(len(list(_changes(node)))):
            tree = ast.parse(source)
            target, _, around = _nodes(tree)[index]
            # A number alone says little.
            shown = around if isinstance(target, ast.Constant) else None
            was = _text(shown or target)
            new = list(_changes(target))[change]
            _put(tree, target, new)
            now = _text(shown or new)
            seen[where, was, now] += 1
            yield Mutant(where, was, now, seen[where, was, now], ast.fix_missing_locations(tree))


Place = tuple[ast.AST, str, ast.AST]
"""A node, the function that it is in, and the node around it."""


def _nodes(tree: ast.AST, where: str = "") -> list[Place]:
    """All nodes that make a difference when the code runs."""
    found: list[Place] = []
    for name, value in ast.iter_fields(tree):
        if name in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        for node in value if isinstance(value, list) else [value]:
            if not isinstance(node, ast.AST) or _says_nothing(node):
                continue
            inner = where
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                inner = f"{where}.{node.name}".lstrip(".")
            found.append((node, inner, tree))
            found += _nodes(node, inner)
    return found


def _says_nothing(node: ast.AST) -> bool:
    # Docstrings, imports, and what is for a type checker only.
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        return True
    return isinstance(node, ast.Import | ast.ImportFrom | ast.JoinedStr)


def _changes(node: ast.AST) -> Iterator[ast.AST]:
    """What a node may become; itself stays as it is."""
    yield from _other_statement(node) if isinstance(node, ast.stmt) else _other_value(node)


def _other_statement(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.If(test, body, orelse):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.While(_, body, orelse):
            yield ast.While(ast.Constant(False), body, orelse)
        case ast.Return(value) if value is not None:
            yield ast.Return(None)
        case ast.Raise() | ast.Expr():
            yield ast.Pass()
        case ast.Break():
            yield ast.Continue()
        case ast.Continue():
            yield ast.Break()
        case ast.AugAssign(target, op, value) if type(op) in _COMPUTED:
            yield ast.AugAssign(target, _COMPUTED[type(op)](), value)


def _other_value(node: ast.AST) -> Iterator[ast.AST]:
    match node:
        case ast.Compare(left, ops, rights):
            for i, op in enumerate(ops):
                yield ast.Compare(left, [*ops[:i], _COMPARED[type(op)](), *ops[i + 1 :]], rights)
        case ast.BinOp(left, op, right) if type(op) in _COMPUTED:
            yield ast.BinOp(left, _COMPUTED[type(op)](), right)
        case ast.BoolOp(op, values):
            yield ast.BoolOp(ast.And() if isinstance(op, ast.Or) else ast.Or(), values)
        case ast.UnaryOp(_, operand):
            yield operand
        case ast.Constant(value):
            for other in _values(value):
                yield ast.Constant(other)
        case ast.IfExp(test, body, orelse):
            yield ast.IfExp(test, orelse, body)
        case ast.Call(func, args, keywords):
            if new := _other_call(func):
                yield ast.Call(new, args, keywords)
            for i in range(len(keywords)):
                yield ast.Call(func, args, keywords[:i] + keywords[i + 1 :])


def _values(value: object) -> list[bool | int | float]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int):
        return [value + 1]
    if isinstance(value, float):
        return [value * 1.5 if value else 1.0]
    return []  # texts are looked at where they are shown


def _other_call(func: ast.expr) -> ast.expr | None:
    match func:
        case ast.Name(name) if name in _CALLED:
            return ast.Name(_CALLED[name], ast.Load())
        case ast.Attribute(value, name) if name in _CALLED:
            return ast.Attribute(value, _CALLED[name], ast.Load())
    return None


def _text(node: ast.AST) -> str:
    return ast.unparse(node).splitlines()[0]


def _put(tree: ast.AST, target: ast.AST, new: ast.AST) -> None:
    """Put a node into another's place."""
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is target:
                setattr(parent, name, new)
            elif isinstance(value, list) and any(each is target for each in value):
                setattr(parent, name, [new if each is target else each for each in value])
