"""Statements: the ways through a function, with what the variables are worth along each and where they meet."""

from __future__ import annotations

import re
from collections.abc import Callable

from legacy_ref_scan.languages.golang.assignments import assign, declare, declare_short, expressions_of, values_of
from legacy_ref_scan.languages.golang.frame import STORED, Frame, Loop
from legacy_ref_scan.languages.golang.packages import Node
from legacy_ref_scan.languages.golang.values import (
    MAX_ALTERNATIVES,
    Alternative,
    Atom,
    Chain,
    Entries,
    Items,
    Text,
    Unknown,
    Value,
    texts,
    union,
)

_UNROLLED = 24
_PLACEHOLDERS = re.compile(rb"[\s,;()]*[$?][\s,;$?\d()]*")
State = list[dict[str, Value]]


def execute(frame: Frame, node: Node) -> None:
    """Runs a statement; expressions as statements are evaluated for the uses in them."""
    statement = _STATEMENTS.get(node.type)
    if statement is not None:
        statement(frame, node)
    elif node.type.endswith(("_expression", "_literal")) or node.type in ("identifier", "composite_literal"):
        frame.evaluate(node)
    elif node.type != "comment":
        for child in node.named_children:
            frame.execute(child)


def _block(frame: Frame, node: Node) -> None:
    frame.scopes.append({})
    for child in node.named_children:
        frame.execute(child)
    frame.scopes.pop()


def _branch(frame: Frame, before: State, body: Callable[[], None]) -> State | None:
    """The variables after `body`, which starts with `before`; None where it does not end normally."""
    frame.scopes = [scope.copy() for scope in before]
    depth = len(frame.scopes)
    frame.dead = False
    body()
    del frame.scopes[depth:]
    alive = not frame.dead
    frame.dead = False
    return frame.scopes if alive else None


def _join(frame: Frame, before: State, outcomes: list[State | None]) -> None:
    alive = [state for state in outcomes if state is not None]
    if alive:
        frame.merge(alive)
    else:
        frame.scopes = before
        frame.dead = True


def _if(frame: Frame, node: Node) -> None:
    frame.scopes.append({})
    _run_optional(frame, node.child_by_field_name("initializer"))
    _run_optional(frame, node.child_by_field_name("condition"))
    before = frame.snapshot()
    outcomes = [
        _branch(frame, before, lambda: _run_optional(frame, node.child_by_field_name("consequence"))),
        _branch(frame, before, lambda: _run_optional(frame, node.child_by_field_name("alternative"))),
    ]
    _join(frame, before, outcomes)
    frame.scopes.pop()


def _run_optional(frame: Frame, node: Node | None) -> None:
    if node is not None:
        frame.execute(node)


def _switch(frame: Frame, node: Node) -> None:
    frame.scopes.append({})
    _run_optional(frame, node.child_by_field_name("initializer"))
    subject = node.child_by_field_name("value")
    if subject is not None:
        value = tuple(alt for alt in frame.evaluate(subject) if not isinstance(alt, Chain))  # `switch db.Name()`
        frame.use(value, subject, "switch", strength=STORED)
    alias = node.child_by_field_name("alias")
    before = frame.snapshot()
    frame.loops.append(Loop())
    outcomes: list[State | None] = []
    complete = False
    for case in node.named_children:
        if case.type in ("expression_case", "type_case", "default_case", "communication_case"):
            complete |= case.type in ("default_case", "communication_case")
            outcomes.append(_branch(frame, before, lambda case=case: _case(frame, case, alias)))  # type: ignore[misc]
    loop = frame.loops.pop()
    outcomes += loop.breaks
    if frame.loops:
        frame.loops[-1].continues += loop.continues
    if not complete:
        outcomes.append(before)
    _join(frame, before, outcomes)
    frame.scopes.pop()


def _case(frame: Frame, case: Node, alias: Node | None) -> None:
    frame.scopes.append({})
    for name in expressions_of(alias):
        frame.declare(frame.file.text(name), frame.unknown("value of a type switch", name))
    values = case.child_by_field_name("value") if case.type == "expression_case" else None
    for value in expressions_of(values):
        frame.use(frame.evaluate(value), value, "switch case")
    skipped = {values.id} if values is not None else set()
    skipped |= {kind.id for kind in case.children_by_field_name("type")}
    for child in case.named_children:
        if child.id not in skipped:
            frame.execute(child)
    frame.scopes.pop()


def _for(frame: Frame, node: Node) -> None:
    frame.scopes.append({})
    body = node.child_by_field_name("body")
    clause = next((child for child in node.named_children if child.id != (body.id if body is not None else 0)), None)
    before_rounds: Callable[[int], None] = lambda _: None  # noqa: E731
    rounds, exact = 2, False
    if clause is not None and clause.type == "range_clause":
        before_rounds, rounds, exact = _range(frame, clause)
    elif clause is not None and clause.type == "for_clause":
        _run_optional(frame, clause.child_by_field_name("initializer"))
        _run_optional(frame, clause.child_by_field_name("condition"))
    elif clause is not None:
        frame.evaluate(clause)
    if body is not None:
        _rounds(frame, body, before_rounds, rounds, exact)
    frame.scopes.pop()


def _range(frame: Frame, clause: Node) -> tuple[Callable[[int], None], int, bool]:
    """What to do before each round, how many rounds, and whether that is exact: each element of a known list or map.

    A map is taken in the order in which it was filled: Go's order is random, and no query may depend on it.
    """
    left, right = expressions_of(clause.child_by_field_name("left")), clause.child_by_field_name("right")
    subject = frame.evaluate(right) if right is not None else ()
    pairs = _pairs(subject)
    only = subject[0] if len(subject) == 1 else None
    closed = (isinstance(only, Items) and only.rest is None) or isinstance(only, Entries)
    exact = closed and len(pairs) <= _UNROLLED
    keys, items = union(key for key, _ in pairs), union(value for _, value in pairs)

    def bind(number: int) -> None:
        key, value = pairs[number] if exact and number < len(pairs) else (keys, items)
        position = number if exact and isinstance(only, Items) else None
        for target, bound, counted in zip(left, (key, value), (position, None), strict=False):
            reason = f"element {frame.file.text(target)[:30]} of a loop"
            unknown = Text((Unknown(reason, frame.origin(target), position=counted),))
            if target.type == "identifier":
                frame.declare(frame.file.text(target), bound or (unknown,))

    return bind, len(pairs) if exact else 2, exact


def _pairs(subject: Value) -> list[tuple[Value, Value]]:
    """What a range over a value gives: key (nothing for a list) and value."""
    lists = [((), element) for alt in subject if isinstance(alt, Items) for element in alt.elements]
    return [*lists, *(pair for alt in subject if isinstance(alt, Entries) for pair in alt.pairs)]


def _rounds(frame: Frame, body: Node, bind: Callable[[int], None], rounds: int, exact: bool) -> None:
    """Runs a loop's body: an exact number of times, or none, one, two times and then a hole for what may follow."""
    depth = len(frame.scopes)
    loop = Loop()
    states: list[State] = [] if exact else [frame.snapshot()]
    for number in range(rounds):
        before = frame.snapshot()
        bind(number)
        frame.loops.append(loop)
        after = _branch(frame, frame.snapshot(), lambda: frame.execute(body))
        frame.loops.pop()
        ends = [state for state in (after, *loop.continues) if state is not None]
        loop.continues = []
        if not ends:
            frame.scopes = before
            break
        frame.merge(_cut(state, depth) for state in ends)
        if not exact:
            states.append(frame.snapshot())
            if number and states[-1] != states[-2]:
                states.append(_more(frame, states[-2], states[-1], body))
            elif states[-1] == states[-2]:
                break
    final = [frame.snapshot()] if exact else states
    frame.merge([*(_cut(state, depth) for state in final), *(_cut(state, depth) for state in loop.breaks)])
    frame.dead = False


def _cut(state: State, depth: int) -> State:
    return state[:depth]


def _more(frame: Frame, before: State, after: State, body: Node) -> State:
    """After two rounds: texts that still grow get a hole at their end, lists an open end."""
    rest = Unknown("more rounds of a loop", frame.origin(body))
    state = []
    for old, new in zip(before, after, strict=False):
        grown = {name: value for name, value in new.items() if old.get(name) != value}
        state.append({**new, **{name: _open_ended(value, rest, old.get(name, ())) for name, value in grown.items()}})
    return state


def _open_ended(value: Value, rest: Unknown, before: Value) -> Value:
    longest = [alt for alt in value if isinstance(alt, Text | Items)][-MAX_ALTERNATIVES // 4 :]
    return tuple(_with_more(alt, rest, before) for alt in longest) or value


def _with_more(alt: Text | Items, rest: Unknown, before: Value) -> Alternative:
    if isinstance(alt, Items):
        return Items(alt.elements, alt.rest or rest)
    rounds = (alt.atoms[len(old.atoms) :] for old in texts(before) if alt.atoms[: len(old.atoms)] == old.atoms)
    if any(_adds_no_name(added) for added in rounds):
        return alt
    return Text((*alt.atoms, rest), alt.partial)


def _adds_no_name(added: tuple[Atom, ...]) -> bool:
    """A round that only adds a placeholder (`$%d, `): with more of them the text says nothing else."""
    text = Text(added)
    return text.known and _PLACEHOLDERS.fullmatch(text.data()) is not None


def _return(frame: Frame, node: Node) -> None:
    nodes = [child for part in node.named_children for child in expressions_of(part)]
    if nodes:
        values = values_of(frame, nodes, max(len(nodes), 2 if len(nodes) == 1 else 0))[: max(len(nodes), 8)]
        for value, expression in zip(values, nodes, strict=False):
            frame.use(value, expression, f"returned by {frame.symbol}", strength=STORED)
    else:
        values = [frame.get(name) or frame.unknown(f"result {name}", node) for name in frame.result_names]
    frame.returns.append(values)
    frame.exits.append(frame.scopes[0].copy())
    frame.dead = True


def _jump(frame: Frame, node: Node) -> None:
    if frame.loops and node.type == "break_statement":
        frame.loops[-1].breaks.append(frame.snapshot())
    elif frame.loops and node.type == "continue_statement":
        frame.loops[-1].continues.append(frame.snapshot())
    frame.dead = True


def _send(frame: Frame, node: Node) -> None:
    for child in node.named_children:
        frame.use(frame.evaluate(child), child, "sent over a channel", strength=STORED)


def _fallthrough(frame: Frame, node: Node) -> None:
    return None


_STATEMENTS: dict[str, Callable[[Frame, Node], None]] = {
    "block": _block,
    "short_var_declaration": declare_short,
    "assignment_statement": assign,
    "var_declaration": declare,
    "const_declaration": declare,
    "type_declaration": _fallthrough,
    "if_statement": _if,
    "for_statement": _for,
    "expression_switch_statement": _switch,
    "type_switch_statement": _switch,
    "select_statement": _switch,
    "return_statement": _return,
    "break_statement": _jump,
    "continue_statement": _jump,
    "goto_statement": _jump,
    "send_statement": _send,
    "inc_statement": _fallthrough,
    "dec_statement": _fallthrough,
}
