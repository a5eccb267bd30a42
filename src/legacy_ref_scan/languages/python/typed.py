"""Which models the parameters, annotations and names of a Python program stand for."""

from __future__ import annotations

import libcst as cst

from legacy_ref_scan.languages.python import core, models
from legacy_ref_scan.languages.python.declared import Declarations
from legacy_ref_scan.languages.python.evaluate import Frame
from legacy_ref_scan.languages.python.findings import Findings
from legacy_ref_scan.languages.python.library import Library
from legacy_ref_scan.languages.python.mapped import DYNAMIC, Model
from legacy_ref_scan.languages.python.module import Class, Function, Module, dotted
from legacy_ref_scan.languages.python.receive import Caller
from legacy_ref_scan.languages.python.registry import text_of
from legacy_ref_scan.languages.python.text import Entity, Values

_BY_NAME = {"queryset": "query", "qs": "query", "obj": "instance", "instance": "instance"}


class Typed(Caller):
    """Gives parameters and names the models that they are declared to be."""

    declarations: Declarations

    def __init__(self, library: Library, findings: Findings, budget: int) -> None:
        super().__init__(library, findings, budget)
        self._tables: dict[cst.Call, Model | None] = {}

    def receiver(self, function: Function, owner: Class) -> Values:
        """What `self` or `cls` is in a method of a model or of a manager; nothing elsewhere."""
        managed = self.registry.managed(owner)
        if managed is not None:
            return (Entity("query", managed),)
        model = self.registry.model(owner)
        decorators = {dotted(decorator.decorator).rpartition(".")[2] for decorator in function.node.decorators}
        if model is None or "staticmethod" in decorators:
            return ()
        of_class = decorators & {"classmethod", "declared_attr", "expression", "validator"}
        return (Entity("model" if of_class else "instance", model),)

    def typed(self, param: cst.Param, function: Function) -> Values:
        """What a parameter holds by its annotation; in a page of Django's admin, by its name."""
        kind = _BY_NAME.get(param.name.value)
        found = self.annotated(param.annotation, function.module)
        if not found and kind and function.owner is not None:
            model = self.declarations.described(function.owner)
            return (Entity(kind, model),) if model is not None else ()
        return found

    def annotated(self, annotation: cst.Annotation | None, module: Module) -> Values:
        """The model's row, or query of rows, that an annotation promises; nothing where it is about no model."""
        name, many = models.annotated_class(module, annotation.annotation) if annotation is not None else ("", False)
        model = self.registry.class_named(module, name) if name else None
        return (Entity("query" if many else "instance", model),) if model is not None else ()

    def model_at(self, node: cst.BaseExpression, frame: Frame) -> Model | None:
        if not isinstance(node, (cst.Name, cst.Attribute)) or not dotted(node):
            return None
        values = (
            self.evaluate(node, frame) if not isinstance(node, cst.Attribute) or self._in_module(node, frame) else ()
        )
        return next((v.model for v in values if isinstance(v, Entity) and v.kind == "model"), None)

    def _in_module(self, node: cst.Attribute, frame: Frame) -> bool:
        return self.library.attribute(frame.module, dotted(node))[0] is not None

    def table_at(self, node: cst.Call, frame: Frame) -> Model | None:
        if node not in self._tables:
            self._tables[node] = core.table_of(frame.module, node)
        if self._tables[node] is not None or not node.args:
            return self._tables[node]
        name = text_of(self.evaluate(node.args[0].value, frame)) or (DYNAMIC if core.is_reflecting(node) else "")
        return core.table_of(frame.module, node, name) if name else None
