"""What the test of a branch says of variables."""

from __future__ import annotations

import libcst as cst

from legacy_ref_scan.languages.python.evaluate import truth
from legacy_ref_scan.languages.python.receive import Env


def narrowed(test: cst.BaseExpression, env: Env) -> tuple[Env | None, Env | None]:
    """The variables where a test holds and where it does not; None where that can't be."""
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        yes, no = narrowed(test.expression, env)
        return no, yes
    if not isinstance(test, cst.Name) or test.value not in env:
        return dict(env), dict(env)
    values = env[test.value]
    true = tuple(value for value in values if truth(value) is not False)
    false = tuple(value for value in values if truth(value) is not True)
    yes = {**env, test.value: true} if true else None
    return yes, {**env, test.value: false} if false else None
