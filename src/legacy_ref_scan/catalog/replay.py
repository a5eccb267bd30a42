"""The replay: a fold of the statements of migrations over a catalog, by a table from node types to handlers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from legacy_ref_scan.catalog import (
    alter,
    drops,
    functions,
    objects,
    publications,
    remarks,
    renames,
    settings,
    tables,
    types,
    views,
)
from legacy_ref_scan.catalog.blocks import do_block
from legacy_ref_scan.catalog.calls import check_calls
from legacy_ref_scan.catalog.sessions import end_session
from legacy_ref_scan.catalog.state import State
from legacy_ref_scan.catalog.statement import Part, Statement, Text
from legacy_ref_scan.catalog.transactions import CONTROL, control, open_file
from legacy_ref_scan.migrations import Migration
from legacy_ref_scan.model import Gap, SourceFile
from legacy_ref_scan.schema import Catalog
from legacy_ref_scan.sql.statements import cut
from legacy_ref_scan.sql.tree import Node, TooComplexError, parse

Range = tuple[int, int]
Handler = Callable[[Statement], None]


def replay(
    migrations: Iterable[Migration], search_path: tuple[str, ...] = ("public",), start: Catalog | None = None
) -> Catalog:
    """The schema as the migrations leave it, applied in the order given. `search_path` is that of each one's start.

    `start` is what is there before the first; without it, nothing.
    """
    state = State(start or Catalog(search_path=search_path))
    for migration in migrations:
        _apply(state, migration)
    return state.freeze()


def apply_migration(catalog: Catalog, migration: Migration) -> Catalog:
    """The catalog after one more migration."""
    state = State(catalog)
    _apply(state, migration)
    return state.freeze()


def _apply(state: State, migration: Migration) -> None:
    _apply_ranges(state, migration.source, migration.up)
    for script in migration.scripts:
        part = Part(Text(script.text, migration.path, script), 0, len(script.text))
        open_file(state, [part])
        apply_part(state, part)
    end_session(state)


def apply_file(catalog: Catalog, source: SourceFile, ranges: tuple[Range, ...]) -> Catalog:
    """The catalog after the statements in these ranges of a file."""
    state = State(catalog)
    _apply_ranges(state, source, ranges)
    return state.freeze()


def _apply_ranges(state: State, source: SourceFile, ranges: Iterable[Range]) -> None:
    state.search_path = state.default_path
    text = Text(source.data, source.path)
    parts = [Part(text, start, end) for start, end in ranges]
    open_file(state, parts)
    for part in parts:
        apply_part(state, part)


def apply_part(state: State, part: Part, maybe: bool = False, guarded: bool = False) -> None:
    """Apply the statements of a part of a text."""
    for start, end in cut(part.text.data, part.start, part.end).statements:
        apply_statement(state, Part(part.text, start, end), maybe, guarded)


_FIRST_WORD = re.compile(rb"(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/|\()*([A-Za-z_]+)", re.DOTALL)
# Statements that begin with these change data or the session, but no schema: their trees are not needed.
_HISTORY = frozenset(
    b"""insert update delete merge copy values truncate lock vacuum analyze analyse explain show checkpoint cluster
    reindex refresh listen notify unlisten load call execute prepare deallocate declare fetch move close discard
    security table""".split()
)
_QUERIES = frozenset({b"select", b"with"})
# These can call functions.
_CALLING = _QUERIES | {b"insert", b"update", b"delete", b"merge", b"values", b"call", b"do"}
# The queries that change the schema or the session.
_EFFECT = re.compile(rb"\binto\b|\bset_config\b", re.IGNORECASE)


def apply_statement(state: State, part: Part, maybe: bool = False, guarded: bool = False) -> None:
    """Apply one statement; what can't be applied is a gap."""
    data = part.text.data
    found = _FIRST_WORD.match(data, part.start, part.end)
    word = found.group(1).lower() if found else b""
    if word in CONTROL:
        control(state, part)
        return
    if word in _CALLING:
        check_calls(state, part)
    if word in _HISTORY or (word in _QUERIES and _EFFECT.search(data, part.start, part.end) is None):
        return
    start = found.start(1) if found else part.start
    try:
        tree = parse(data, part.start, part.end)
    except TooComplexError as problem:
        _gap(state, part.text, start, part.end, "catalog-unparsed", f"not read: {problem}")
        return
    if tree.errors:
        at, to = tree.errors[0]
        _gap(state, part.text, at, max(to, at + 1), "catalog-unparsed", "the grammar can't read this statement")
    node = next((n for n in _statements(tree.root)), None)
    if node is None:
        if not tree.errors:
            _gap(state, part.text, start, part.end, "catalog-unparsed", "no statement that the grammar knows")
        return
    _dispatch(Statement(state, part.text, tree, node, maybe, guarded))


def _statements(root: Node) -> Iterable[Node]:
    for group in root.find("stmt", "TransactionStmtLegacy"):
        yield group.children[0] if group.type == "stmt" and group.children else group


def _gap(state: State, text: Text, start: int, end: int, reason: str, message: str) -> None:
    state.gaps.append(Gap(text.span(start, end), reason, message))


def _dispatch(statement: Statement) -> None:
    kind = statement.node.type
    handler = _HANDLERS.get(kind)
    if handler is not None:
        handler(statement)
    elif kind not in _WITHOUT_EFFECT:
        statement.gap(statement.node, "catalog-unknown-statement", f"{kind} is not known here")


def _select(statement: Statement) -> None:
    if statement.node.first("into_clause") is not None:
        tables.select_into(statement)
    else:
        settings.set_config(statement)


def _execute(statement: Statement) -> None:
    """CREATE TABLE … AS EXECUTE; a plain EXECUTE leaves no trace."""
    if statement.node.has("kw_create"):
        tables.create_table_as(statement)


def _do(statement: Statement) -> None:
    do_block(statement, lambda part, maybe, guarded: apply_part(statement.state, part, maybe, guarded))


def _schema(statement: Statement) -> None:
    name = settings.create_schema(statement)
    before = statement.state.search_path
    if name is not None:
        statement.state.search_path = (name, *before)
    for element in statement.node.find("schema_stmt"):
        _dispatch(replace(statement, node=element.children[0]))
    statement.state.search_path = before


_HANDLERS: dict[str, Handler] = {
    "AlterCompositeTypeStmt": types.alter_composite,
    "AlterDomainStmt": types.alter_domain,
    "AlterFunctionStmt": functions.alter_function,
    "AlterEnumStmt": types.alter_enum,
    "AlterObjectSchemaStmt": renames.set_schema,
    "AlterPolicyStmt": objects.alter_policy,
    "AlterPublicationStmt": publications.alter_publication,
    "AlterSeqStmt": settings.alter_sequence,
    "AlterTableStmt": alter.alter_table,
    "CommentStmt": remarks.comment,
    "CreateAsStmt": tables.create_table_as,
    "CreateDomainStmt": types.create_domain,
    "CreateForeignTableStmt": tables.create_table,
    "CreateFunctionStmt": functions.create_function,
    "CreateMatViewStmt": views.create_materialized_view,
    "CreatePolicyStmt": objects.create_policy,
    "CreatePublicationStmt": publications.create_publication,
    "CreateSchemaStmt": _schema,
    "CreateSeqStmt": settings.create_sequence,
    "CreateStatsStmt": publications.create_statistics,
    "CreateStmt": tables.create_table,
    "CreateTrigStmt": objects.create_trigger,
    "DefineStmt": types.create_type,
    "DoStmt": _do,
    "DropStmt": drops.drop_statement,
    "ExecuteStmt": _execute,
    "GrantStmt": remarks.grant,
    "IndexStmt": objects.create_index,
    "RemoveFuncStmt": drops.drop_functions,
    "RenameStmt": renames.rename,
    "RevokeStmt": remarks.revoke,
    "RuleStmt": objects.create_rule,
    "SelectStmt": _select,
    "VariableResetStmt": settings.reset_variable,
    "VariableSetStmt": settings.set_variable,
    "ViewStmt": views.create_view,
}

# Statements that leave no trace in the catalog: data, the session, roles, servers, operators, settings of functions.
_WITHOUT_EFFECT = frozenset(
    {
        "AlterCollationStmt", "AlterDatabaseSetStmt", "AlterDatabaseStmt", "AlterDefaultPrivilegesStmt",
        "AlterEventTrigStmt", "AlterExtensionContentsStmt", "AlterExtensionStmt", "AlterFdwStmt",
        "AlterForeignServerStmt", "AlterGroupStmt", "AlterObjectDependsStmt", "AlterOperatorStmt",
        "AlterOpFamilyStmt", "AlterOwnerStmt", "AlterRoleSetStmt", "AlterRoleStmt", "AlterStatsStmt",
        "AlterSubscriptionStmt", "AlterSystemStmt", "AlterTblSpcStmt", "AlterTSConfigurationStmt",
        "AlterTSDictionaryStmt", "AlterTypeStmt", "AlterUserMappingStmt", "AnalyzeStmt", "CallStmt", "CheckPointStmt",
        "ClosePortalStmt", "ClusterStmt", "ConstraintsSetStmt", "CopyStmt", "CreateAmStmt", "CreateAssertionStmt",
        "CreateCastStmt", "CreateConversionStmt", "CreatedbStmt", "CreateEventTrigStmt", "CreateExtensionStmt",
        "CreateFdwStmt", "CreateForeignServerStmt", "CreateGroupStmt", "CreateOpClassStmt", "CreateOpFamilyStmt",
        "CreatePLangStmt", "CreateRoleStmt", "CreateSubscriptionStmt", "CreateTableSpaceStmt", "CreateTransformStmt",
        "CreateUserMappingStmt", "CreateUserStmt", "DeallocateStmt", "DeclareCursorStmt", "DeleteStmt", "DiscardStmt",
        "DropCastStmt", "DropdbStmt", "DropOpClassStmt", "DropOpFamilyStmt", "DropRoleStmt",
        "DropSubscriptionStmt", "DropTableSpaceStmt", "DropTransformStmt", "DropUserMappingStmt", "ExplainStmt",
        "FetchStmt", "GrantRoleStmt", "InsertStmt", "ListenStmt", "LoadStmt", "LockStmt", "MergeStmt", "NotifyStmt",
        "PrepareStmt", "ReassignOwnedStmt", "RefreshMatViewStmt", "ReindexStmt", "RemoveAggrStmt", "RemoveOperStmt",
        "RevokeRoleStmt", "SecLabelStmt", "TransactionStmt", "TransactionStmtLegacy", "TruncateStmt", "UnlistenStmt",
        "UpdateStmt", "VacuumStmt", "VariableShowStmt", "ViewStmtLegacy",
    }
)  # fmt: skip
