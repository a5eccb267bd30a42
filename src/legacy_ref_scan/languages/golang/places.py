"""Where a mention stands in a Go file: a comment, an identifier, a tag, a literal, or text the grammar lost."""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from legacy_ref_scan.languages.golang import sinks
from legacy_ref_scan.languages.golang.packages import GoFile, Node
from legacy_ref_scan.model import OUTSIDE, Claim, Explanation, Mention, Span

_STRINGS = frozenset(("interpreted_string_literal", "raw_string_literal", "rune_literal"))
_PARTS = frozenset(
    ("interpreted_string_literal_content", "raw_string_literal_content", "escape_sequence", '"', "`", "rune_literal")
)
_NAMES = frozenset(
    ("identifier", "field_identifier", "type_identifier", "package_identifier", "label_name", "blank_identifier")
)


@dataclass(frozen=True, slots=True)
class Literal:
    """A string literal that holds mentions. `node` is None where only the lexer could find it."""

    start: int
    end: int
    node: Node | None


def place(file: GoFile, mention: Mention) -> Claim | Literal | Node | None:
    """A claim for comments and identifiers, the literal, or the tag's node; None: nothing explains it."""
    start, end = mention.span.start, mention.span.end
    node = file.tree.root_node.descendant_for_byte_range(start, max(start, end - 1))
    if node is None:
        return None
    if node.type in _PARTS and node.parent is not None:
        node = node.parent if node.parent.type in _STRINGS else node
    if node.type in _STRINGS:
        return _string(file, node, mention)
    if node.type == "comment" or node.type in _NAMES:
        lexed = _lexed(file, mention) if file.broken else None
        if isinstance(lexed, Literal):
            return lexed  # the grammar lost its way: what it takes for a name may be inside a string
        why = Explanation.COMMENT if node.type == "comment" else Explanation.IDENTIFIER
        return Claim(Span(file.path, node.start_byte, node.end_byte), why)
    return _lexed(file, mention)


def _string(file: GoFile, node: Node, mention: Mention) -> Claim | Literal | Node | None:
    parent = node.parent
    if parent is not None and parent.type == "import_spec":
        return Claim(Span(file.path, node.start_byte, node.end_byte), Explanation.IDENTIFIER, "import path")
    if parent is not None and parent.type == "field_declaration":
        return node
    return Literal(node.start_byte, node.end_byte, node)


def doubtful(file: GoFile, mention: Mention) -> bool:
    """Whether a string without its end, somewhere in a file with syntax errors, may have taken in the mention.

    Nobody can say then whether the place is text or code: whatever else explains it is not to be trusted.
    """
    if not file.broken:
        return False
    start = mention.span.start
    if start >= file.swallowed:
        return True
    at = bisect_right(file.tokens, start, key=lambda token: token.start) - 1
    token = file.tokens[at] if at >= 0 and start < file.tokens[at].end else None
    if token is not None and token.kind != "word":
        return False
    return file.source.line_of(start) in file.open_lines or _behind_raw_text(file, mention)


def _behind_raw_text(file: GoFile, mention: Mention) -> bool:
    """The same for raw strings, which span lines: a name as SQL writes it, somewhere behind a backquote."""
    start, end = mention.span.start, mention.span.end
    return (
        file.source.data[start:end].lower() == mention.name.lower().encode()
        and file.source.data.find(b"`", 0, start) >= 0
    )


def _lexed(file: GoFile, mention: Mention) -> Claim | Literal | None:
    """Reads the place of a mention without the grammar, for what stands inside an ERROR."""
    at = bisect_right(file.tokens, mention.span.start, key=lambda token: token.start) - 1
    token = file.tokens[at] if at >= 0 else None
    if token is None or mention.span.start >= token.end:
        return None
    span = Span(file.path, token.start, token.end)
    if token.kind == "comment":
        return Claim(span, Explanation.COMMENT)
    if token.kind == "word":
        return Claim(span, Explanation.IDENTIFIER)
    return Literal(token.start, token.end, None)


def described(file: GoFile, node: Node | None) -> str:
    """The immediate use of a literal, for people."""
    if node is None:
        return "in text that is not valid Go"
    parent = node.parent
    while parent is not None and parent.type in ("parenthesized_expression", "literal_element", "expression_list"):
        node, parent = parent, parent.parent
    if parent is None:
        return ""
    match parent.type:
        case "keyed_element":
            return _keyed(file, node, parent)
        case "literal_value":
            return "composite element"
        case "index_expression":
            return "map index"
        case "expression_case":
            return "switch case"
        case "argument_list":
            return f"argument of {_function(file, parent.parent)}"
        case "binary_expression":
            operator = parent.child_by_field_name("operator")
            return "concatenation" if operator is not None and file.bytes(operator) == b"+" else "comparison"
        case "const_spec" | "var_spec":
            return "never used"
    return parent.type.replace("_", " ")


def goes_to_people(file: GoFile, node: Node | None) -> bool:
    """The literal is an argument of a log, an error, a test's message."""
    call = node.parent.parent if node is not None and node.parent is not None else None
    function = call.child_by_field_name("function") if call is not None and call.type == "call_expression" else None
    if function is None or function.type != "selector_expression":
        return function is not None and sinks.is_text_function(file.text(function))
    operand, name = function.child_by_field_name("operand"), function.child_by_field_name("field")
    if operand is None or name is None:
        return False
    path = file.imports.get(file.text(operand))
    return sinks.is_text_function(f"{path}.{file.text(name)}") if path else sinks.is_text_method(file.text(name))


def _keyed(file: GoFile, node: Node, parent: Node) -> str:
    key = parent.child_by_field_name("key")
    if key is not None and key.start_byte == node.start_byte:
        return key_note(file, parent)
    if key is not None and key.named_child_count and key.named_children[0].type == "identifier":
        return f"struct field {file.text(key)}"
    return "map value"


def key_note(file: GoFile, pair: Node) -> str:
    """What a key of a composite literal is: the arguments of a statement are no columns (pgx.NamedArgs)."""
    literal = pair.parent.parent if pair.parent is not None else None
    kind = literal.child_by_field_name("type") if literal is not None else None
    if kind is not None and file.text(kind).endswith("NamedArgs"):
        return "named argument"
    package = kind.child_by_field_name("package") if kind is not None and kind.type == "qualified_type" else None
    path = file.imports.get(file.text(package), "") if package is not None else ""
    return f"map key, {OUTSIDE}" if path and sinks.is_inert(path, "") else "map key"


def keys_beside(file: GoFile, start: int, end: int) -> tuple[str, ...]:
    """The other keys of the map that the string at `start`..`end` is a key of, in its literal or as it is filled.

    Empty for a string that is no key, and where the literal has a key that is no plain text.
    """
    node: Node | None = file.tree.root_node.descendant_for_byte_range(start, max(start, end - 1))
    while node is not None and node.type not in _STRINGS:
        node = node.parent if node.type in _PARTS else None
    element = node.parent if node is not None else None
    if node is None or element is None:
        return ()
    if element.type == "index_expression":
        return _filled_keys(file, element, file.text(node))
    pair = element.parent if element.type == "literal_element" else element
    literal = pair.parent.parent if pair is not None and pair.type == "keyed_element" and pair.parent else None
    key = pair.child_by_field_name("key") if pair is not None else None
    if literal is None or key is None or key.start_byte != node.start_byte:
        return ()
    return tuple(text for text in _literal_keys(file, literal) if text != file.text(node)[1:-1])


def _literal_keys(file: GoFile, literal: Node) -> list[str]:
    """The keys of a map's literal; none where one is no plain text."""
    kind, body = literal.child_by_field_name("type"), literal.child_by_field_name("body")
    if kind is None or kind.type != "map_type" or body is None:
        return []
    keys = [child.child_by_field_name("key") for child in body.named_children if child.type == "keyed_element"]
    written = [file.text(key).strip() for key in keys if key is not None]
    plain = all(len(text) > 1 and text[0] == text[-1] and text[0] in '"`' and "\\" not in text for text in written)
    return [text[1:-1] for text in written] if plain else []


def _filled_keys(file: GoFile, element: Node, written: str) -> tuple[str, ...]:
    """The keys of a local map that a function fills one by one: `row["a"] = 1`."""
    operand, function = element.child_by_field_name("operand"), element.parent
    while function is not None and function.type not in ("function_declaration", "method_declaration", "func_literal"):
        function = function.parent
    if operand is None or operand.type != "identifier" or function is None:
        return ()
    name = re.escape(file.bytes(operand))
    body = file.bytes(function)
    keys = re.findall(rb"(?<![\w.])" + name + rb'\[\s*"([^"\\]+)"\s*\]\s*=[^=]', body)
    made = re.search(rb"(?<![\w.])" + name + rb"\s*:?=\s*map\[string\]", body)
    if made is not None:
        at = function.start_byte + made.end() - 1
        literal = file.tree.root_node.descendant_for_byte_range(at, at)
        while literal is not None and literal.type not in ("composite_literal", "block"):
            literal = literal.parent
        keys += [key.encode() for key in _literal_keys(file, literal)] if literal is not None else []
    return tuple(dict.fromkeys(key.decode("utf-8", "replace") for key in keys if key != written[1:-1].encode()))


def _function(file: GoFile, call: Node | None) -> str:
    function = call.child_by_field_name("function") if call is not None else None
    written = file.text(function) if function is not None else ""
    return written if len(written) < 60 and "\n" not in written else written.rpartition(".")[2].strip()
