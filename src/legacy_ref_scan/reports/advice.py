"""What each conclusion means to people, and what they can do about it."""

from __future__ import annotations

from legacy_ref_scan.model import Explanation

MEANINGS: dict[Explanation, str] = {
    Explanation.REFERENCE: "a use of the column",
    Explanation.GAP: "it could be a use of the column, and that could not be decided",
    Explanation.RESIDUE: "a name that lingers; nothing breaks when the column goes",
    Explanation.ACKNOWLEDGED: "somebody looked at it and answers for it in the rule",
    Explanation.TABLE: "the table is used, the column is not",
    Explanation.OTHER_TABLE: "a column of another table",
    Explanation.OUTPUT_NAME: "a name that the query gives to a result",
    Explanation.VARIABLE: "a variable, a parameter or an alias",
    Explanation.DEFINITION: "a definition, not a use",
    Explanation.HISTORY: "a migration that has run; what it leaves behind is judged as such",
    Explanation.VALUE: "a value, not a name",
    Explanation.TEXT: "text for people, not SQL",
    Explanation.IDENTIFIER: "a name of the program, not of the database",
    Explanation.COMMENT: "a comment",
    Explanation.OTHER_FILE: "a file of a kind that does not count",
}

_OPEN_NAME = "write the names out where the query is, or hand them over in a constant or a list that can be followed"
_REWRITE = "rewrite the statement so that it can be read, or move it to a file of its own"
_ADVICE = {
    "dynamic-column": _OPEN_NAME,
    "dynamic-table": "write the table's name out, or keep it in a constant that can be followed",
    "dynamic-sql": "write the text that EXECUTE runs as a literal, or with format() over literals",
    "fragment-without-table": "put this part and the table's name where one can be followed to the other",
    "both-names-nearby": "put the column's and the table's name where one can be followed to the other",
    "loose-name": _OPEN_NAME,
    "builder-column": _OPEN_NAME,
    "unresolved-name": "qualify the column with its table",
    "ambiguous-column": "qualify the column with its table",
    "ambiguous-variable": "qualify the column with its table, or rename the variable",
    "unknown-relation": "create the relation in a migration, or qualify the column with its table",
    "unreadable-sql": _REWRITE,
    "too-complex": _REWRITE,
    "too-many-texts": "put the query together in fewer ways",
    "unknown-mapping": "say on the model which table it stands for",
    "maybe-present": "write a migration that leaves no doubt whether the column is there",
}
_DEFAULT = "rewrite it so that it can be decided"


def of_gap(reason: str) -> str:
    """What to do about a gap."""
    return f"{_ADVICE.get(reason, _DEFAULT)}; a gap that is known to be no use is acknowledged in the rule"


def of_residue() -> str:
    """What to do about a residue."""
    return "remove it when the column goes"
