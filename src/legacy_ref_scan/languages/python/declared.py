"""Texts in the bodies of classes that name fields: Django's `Meta`, admin pages and serializers, SQLAlchemy's table
arguments, relationships and foreign keys."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from legacy_ref_scan.languages.python import literals, models
from legacy_ref_scan.languages.python.findings import Findings
from legacy_ref_scan.languages.python.mapped import Model
from legacy_ref_scan.languages.python.module import Class, Module, children, dotted, last_name
from legacy_ref_scan.languages.python.registry import Registry
from legacy_ref_scan.languages.python.text import Run, Text
from legacy_ref_scan.languages.python.uses import Uses, plain
from legacy_ref_scan.model import Access, Explanation

# What Django's classes list fields in; `Meta` of models, forms, serializers and filters, the bodies of admin classes
# and views.
_FIELD_LISTS = frozenset(
    "ordering unique_together index_together indexes constraints get_latest_by order_with_respect_to fields exclude "
    "read_only_fields extra_kwargs list_display list_filter list_editable list_display_links search_fields "
    "readonly_fields fieldsets raw_id_fields date_hierarchy autocomplete_fields prepopulated_fields filter_horizontal "
    "filter_vertical radio_fields filterset_fields ordering_fields sortable_by list_select_related filter_fields "
    "form_columns column_list column_filters column_searchable_list column_sortable_list form_excluded_columns "
    "slug_field lookup_field import_id_fields export_order widgets labels help_texts field_classes".split()
)
_ARGUMENTS = frozenset(
    {"Index", "UniqueConstraint", "PrimaryKeyConstraint", "ExcludeConstraint", "ForeignKeyConstraint"}
)
_RELATIONS = frozenset({"relationship", "relation", "backref", "Relationship"})
_FOREIGN = frozenset({"ForeignKey", "ForeignKeyConstraint"})
_DOTTED = re.compile(rb"\b([A-Za-z_]\w*)\.(?:c\.)?([A-Za-z_]\w*)\b")


class Declarations:
    """Looks through the classes of a file."""

    def __init__(self, registry: Registry, uses: Uses, findings: Findings) -> None:
        self._registry, self._uses, self._findings = registry, uses, findings

    def read(self, module: Module) -> None:
        """Keeps the uses that texts in the bodies of classes and in foreign keys are."""
        owners = [known for known in module.definitions.values() if isinstance(known, Class)]
        for owner in owners:
            self._of_class(owner)
        self._foreign_keys(module)

    def _of_class(self, owner: Class) -> None:
        model = self._registry.model(owner)
        if model is not None and model.table and model.library == "sqlalchemy":
            self._table_arguments(model, owner)
        elif model is None:
            model = self.described(owner)
        if model is not None:
            self._lists(model, owner)
            self._decorators(model, owner)

    def described(self, owner: Class) -> Model | None:
        """The model that an admin page, a serializer, a form or a view is about."""
        named = [models.meta(owner, "model")]
        for declared in models.declarations(owner.node):
            if declared.name.value in ("model", "queryset") and declared.value is not None:
                named.append(declared.value)
        for decorator in owner.node.decorators:
            if isinstance(decorator.decorator, cst.Call) and last_name(decorator.decorator.func) == "register":
                named += [argument.value for argument in decorator.decorator.args if argument.keyword is None]
        for node in named:
            path = _before_manager(node) or dotted(node)
            model = self._registry.class_named(owner.module, path) if path else None
            if model is not None:
                return model
        return self._registry.registered(owner)

    def _lists(self, model: Model, owner: Class) -> None:
        bodies = [
            owner.node,
            *(s for s in owner.node.body.body if isinstance(s, cst.ClassDef) and s.name.value == "Meta"),
        ]
        own = {name for name in owner.methods if not self._registry.model(owner)}
        if own:
            own |= {declared.name.value for declared in models.declarations(owner.node)}
        for body in bodies:
            for declared in models.declarations(body):
                if declared.name.value in _FIELD_LISTS and declared.value is not None:
                    for text in _texts(owner.module, declared.value):
                        self._name(model, text, own, owner)
                    for keyword in _lookups(declared.value):
                        span = owner.module.span(keyword)
                        self._uses.lookup(model, keyword.value, span, Access.READ, owner.symbol)

    def _decorators(self, model: Model, owner: Class) -> None:
        """`@generic_repr("id", "error_message")` on a model: names of its attributes."""
        for decorator in owner.node.decorators:
            for text in _texts(owner.module, decorator.decorator) if model.owner is owner else ():
                found = plain(text)
                if found is not None and found[0] in model.fields:
                    self._uses.lookup(model, *found, Access.READ, owner.symbol)

    def _name(self, model: Model, text: Text, own: set[str], owner: Class) -> None:
        found = plain(text)
        if found is None:
            return
        name, span = found
        if name in own:
            self._findings.claim(span, Explanation.IDENTIFIER, f"a name of {owner.name}")
        else:
            self._uses.lookup(model, name, span, Access.READ, owner.symbol)

    # SQLAlchemy

    def _table_arguments(self, model: Model, owner: Class) -> None:
        for declared in models.declarations(owner.node):
            if declared.value is None:
                continue
            if declared.name.value in ("__table_args__", "__mapper_args__"):
                self._constraints(model, declared.value, owner)
            elif isinstance(declared.value, cst.Call) and last_name(declared.value.func) in _RELATIONS:
                for text in _texts(owner.module, declared.value):
                    self._expression(text, owner)
            elif isinstance(declared.value, cst.Call):
                self._searched(model, declared.value, owner)

    def _constraints(self, model: Model, node: cst.CSTNode, owner: Class) -> None:
        if isinstance(node, cst.Call):
            name = last_name(node.func)
            clause = {"CheckConstraint": "WHERE", "text": "ORDER BY"}.get(name)
            if clause and node.args:
                for text in _texts(owner.module, node.args[0].value):
                    self._uses.clause(model, clause, text, owner.symbol)
            named = node.args[1:] if name == "Index" else node.args
            for argument in named if name in _ARGUMENTS else ():
                if argument.keyword is None and isinstance(argument.value, (cst.SimpleString, cst.List, cst.Tuple)):
                    for text in _texts(owner.module, argument.value):
                        self._uses.names(model, (text,), Access.READ, owner.symbol)
        for child in children(node):
            self._constraints(model, child, owner)

    def _searched(self, model: Model, node: cst.Call, owner: Class) -> None:
        """`Column(TSVectorType("title", "error_message"))`: a trigger reads the columns that it names."""
        for argument in node.args:
            inner = argument.value
            if isinstance(inner, cst.Call) and last_name(inner.func) == "TSVectorType":
                for text in _texts(owner.module, inner):
                    found = plain(text)
                    if found is not None and found[0] in model.fields:
                        self._uses.lookup(model, *found, Access.READ, owner.symbol)

    def _expression(self, text: Text, owner: Class) -> None:
        """`primaryjoin="Phase.id == foreign(Execution.phase_id)"`: Python that is evaluated later."""
        for match in _DOTTED.finditer(text.flat):
            model = self._registry.named(owner.module, match[1].decode())
            parts = text.cut(match.start(2), match.end(2))
            if model is not None and len(parts) == 1 and isinstance(parts[0], Run) and parts[0].origin is not None:
                self._uses.field(model, match[2].decode(), parts[0].origin, Access.READ, owner.symbol)

    def _foreign_keys(self, module: Module) -> None:
        """`ForeignKey("campaign_phases.id")`, at any place."""
        stack: list[cst.CSTNode] = [module.tree] if b"ForeignKey" in module.source.data else []
        while stack:
            node = stack.pop()
            if isinstance(node, cst.Call) and last_name(node.func) in _FOREIGN:
                for text in _texts(module, node):
                    self._foreign_key(text)
            stack += children(node)

    def _foreign_key(self, text: Text) -> None:
        table, _, column = text.flat.rpartition(b".")
        parts = text.cut(len(table) + 1, len(text.flat))
        if not table or not column or len(parts) != 1 or not isinstance(parts[0], Run):
            return
        span = parts[0].origin
        if span is not None and re.fullmatch(rb"[\w.]+", table):
            name = column.decode("utf-8", "replace")
            model = Model(table.decode(), table.decode(), "sqlalchemy", {}, open=True)
            self._uses.field(model, name, span, Access.READ, "")
            before = text.cut(0, len(table))
            for part in before:
                if isinstance(part, Run) and part.origin is not None and self._findings.holds(Text((part,))):
                    self._findings.claim(part.origin, Explanation.TABLE, "a foreign key")


def _before_manager(node: cst.BaseExpression | None) -> str:
    """`models.Phase` of `models.Phase.objects.filter(…).order_by(…)`."""
    while isinstance(node, (cst.Call, cst.Attribute)):
        node = node.func if isinstance(node, cst.Call) else node
        if isinstance(node, cst.Attribute):
            if node.attr.value in ("objects", "query") and dotted(node.value):
                return dotted(node.value)
            node = node.value
    return ""


def _lookups(node: cst.CSTNode) -> Iterator[cst.Name]:
    """The keywords of `Q(error_message="")` below a node."""
    stack = [node]
    while stack:
        at = stack.pop()
        if isinstance(at, cst.Call) and last_name(at.func) == "Q":
            yield from (argument.keyword for argument in at.args if argument.keyword is not None)
        stack += children(at)


def _texts(module: Module, node: cst.CSTNode) -> Iterator[Text]:
    """The string literals below a node."""
    stack = [node]
    while stack:
        at = stack.pop()
        if isinstance(at, cst.SimpleString):
            yield Text(literals.literal(module.source.data, module.span(at)))
        stack += children(at)
