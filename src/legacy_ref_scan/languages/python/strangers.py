"""Classes of ORMs that are not known here: one that is called like a target's table, or names it, may map it."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import libcst as cst

from legacy_ref_scan.languages.python import models
from legacy_ref_scan.languages.python.module import Class, dotted
from legacy_ref_scan.languages.python.registry import Registry
from legacy_ref_scan.model import Gap

# What declares classes of fields, and has nothing to do with a database.
_OTHERS = frozenset(
    "airflow apispec ariadne attr attrs beanie betamax cassandra cattrs celery click colander construct ctypes "
    "dagster deform django_filters drf_spectacular drf_yasg elasticsearch_dsl factory factory_boy faker "
    "flask_restful flask_restx flask_wtf google graphene grpc hypothesis import_export kivy kombu luigi "
    "marshmallow mimesis mock mongoengine motor msgspec neomodel ninja odmantic opensearchpy pandas pandera panel "
    "param polars polyfactory protobuf pydantic pymongo pynamodb PyQt5 PyQt6 PySide2 PySide6 pyspark pytest "
    "redis_om rest_framework schematics strawberry streamlit tap tkinter traitlets typedload typer umongo "
    "unittest voluptuous wtforms wx zope".split()
)


def possible_mappings(registry: Registry, owner: Class) -> Iterator[Gap]:
    """A gap for each attribute of a class that is called like a target's column and made by another package."""
    columns = registry.library.project.names.columns
    named = [one for one in models.declarations(owner.node) if one.name.value in columns]
    package = _Package(registry, owner)
    if not named or not _is_about(registry, owner) or not any(package(dotted(base.value)) for base in owner.node.bases):
        return
    for declared in named:
        if isinstance(declared.value, cst.Call) and package(dotted(declared.value.func)):
            name = declared.name.value
            message = f"{owner.name} may be a model with the column {name}: what makes it is not known here"
            span = owner.module.span(declared.name)
            yield Gap(span, "unknown-mapping", message, owner.symbol, owner.module.source.test)


def _is_about(registry: Registry, owner: Class) -> bool:
    """Whether a class is called like a target's table, or its body names one."""
    names = registry.library.project.names
    if any(
        role == "table" and end - start == len(owner.name) for start, end, _, role in names.places(owner.name.encode())
    ):
        return True
    span = owner.module.span(owner.node)
    return names.in_text(owner.module.source.data[span.start : span.end], "table")


class _Package:
    """Tells the names that a file imports from a package which may be about databases."""

    def __init__(self, registry: Registry, owner: Class) -> None:
        self._library, self._module = registry.library, owner.module

    def __call__(self, path: str) -> bool:
        what = self._module.imports.get(path.partition(".")[0])
        if what is None or what.level or self._library.imported(self._module, what)[0] is not None:
            return False
        package = (what.module or what.name).partition(".")[0]
        is_form = what.module.startswith("django.") and what.module.rpartition(".")[2] == "forms"
        is_form = is_form or (what.module == "django" and what.name == "forms")
        return package not in _OTHERS and package not in sys.stdlib_module_names and not is_form
