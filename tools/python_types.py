"""The types of the Python client, derived from the OpenAPI document: a TypedDict for every object that it speaks of."""

import keyword
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

_Schema = Mapping[str, Any]

# What callers write, and what they are answered; everything that these lead to comes along.
_WRITTEN: Final = ("TransformRequest", "BulkRequest")
_READ: Final = (
    "TransformReply", "AcceptedReply", "JobReply", "JobsReply", "AccountReply", "UsageReply", "WebhookSecretsReply",
    "DeliveriesReply", "DeliveryReply", "ErrorReply",
)  # fmt: skip
# The client takes a file of its own machine too, where the wire has none.
_MORE: Final = {"File": "Upload"}
_PLAIN: Final = {"string": "str", "integer": "int", "number": "float", "boolean": "bool", "null": "None"}
_WIDTH: Final = 120
_LAST_WORD: Final = re.compile("[A-Z][a-z]*$")
_HEAD: Final = '''"""What is asked and answered, as the server's OpenAPI document says it.

Written by `make generate`; change the server instead.
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NotRequired, TypedDict

from imageplane_client.files import Upload
'''


def python_types(document: _Schema) -> str:
    """Give the text of `types.py`."""
    schemas = dict(_named_alternatives(document["components"]["schemas"]))
    written = list(_reached(_WRITTEN, schemas))
    names = dict.fromkeys([*written, *_reached(_READ, schemas)])
    parts = [_Writer(is_written=name in written).definition(name, schemas[name]) for name in names]
    return _formatted("\n\n".join([_HEAD, *parts]))


def _named_alternatives(schemas: _Schema) -> Iterator[tuple[str, _Schema]]:
    """Give all schemas, with a name for each alternative that is an object without one: BulkOperationsRequest."""
    for name, schema in schemas.items():
        given, named = schema.get("oneOf", []), []
        for each in given:
            if "properties" in each:
                (own,) = set(each["required"]).difference(*(other["required"] for other in given if other is not each))
                own_name = _LAST_WORD.sub(rf"{own.capitalize()}\g<0>", name)
                yield own_name, each
                named.append({"$ref": f"#/components/schemas/{own_name}"})
        yield name, {**schema, "oneOf": named} if named else schema


def _reached(roots: tuple[str, ...], schemas: _Schema) -> Iterator[str]:
    """Give the names of all schemas that these lead to, each after those that it needs."""
    for root in roots:
        yield from dict.fromkeys(_reached(tuple(_references(schemas[root])), schemas))
        yield root


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        # A discriminator names by strings what is named beside it already.
        yield from (_named(value) for key, value in schema.items() if key == "$ref")
        schema = [value for key, value in schema.items() if key not in ("discriminator", "examples")]
    if isinstance(schema, list):
        for each in schema:
            yield from _references(each)


class _Writer:
    """Writes types; lists that callers write may be any sequence."""

    def __init__(self, *, is_written: bool) -> None:
        self._list, self._dict = ("Sequence", "Mapping") if is_written else ("list", "dict")

    def definition(self, name: str, schema: _Schema) -> str:
        if "properties" not in schema and schema.get("type") != "object":
            types = [self._type(schema), *([_MORE[name]] if name in _MORE else [])]
            return f"{name} = {' | '.join(types)}\n{_docstring(schema, '')}"
        fields = dict(self._fields(schema))
        if any(keyword.iskeyword(field) for field in fields):
            body = "".join(f"{field!r}: {kind},\n" for field, (kind, _) in fields.items())
            return f"{name} = TypedDict({name!r}, {{\n{body}}})\n{_docstring(schema, '')}"
        lines = [f"    {field}: {kind}\n{_docstring(told, '    ')}" for field, (kind, told) in fields.items()]
        return f"class {name}(TypedDict):\n{_docstring(schema, '    ')}\n{''.join(lines)}"

    def _fields(self, schema: _Schema) -> Iterator[tuple[str, tuple[str, _Schema]]]:
        # Where a size has two names, the first alternative is the one to write.
        chosen = [each["anyOf"][0] for each in schema.get("allOf", ()) if "anyOf" in each]
        required = {name for each in (schema, *chosen) for name in each.get("required", ())}
        sharper = {name: value for each in chosen for name, value in each["properties"].items()}
        for name, value in schema["properties"].items():
            if _says_a_type(value):
                kind = self._type(sharper.get(name, value))
                yield name, (kind if name in required else f"NotRequired[{kind}]", value)

    def _type(self, schema: _Schema) -> str:
        if "$ref" in schema:
            return _named(schema["$ref"])
        if "allOf" in schema:
            # One type, with words of its own beside it.
            (only,) = schema["allOf"]
            return self._type(only)
        if "const" in schema:
            return f"Literal[{schema['const']!r}]"
        if "enum" in schema:
            return f"Literal[{', '.join(map(repr, schema['enum']))}]"
        for union in ("oneOf", "anyOf"):
            if union in schema:
                return " | ".join(dict.fromkeys(self._type(each) for each in schema[union] if not _is_empty(each)))
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        return " | ".join(self._of_kind(kind, schema) for kind in kinds)

    def _of_kind(self, kind: str, schema: _Schema) -> str:
        if kind == "array":
            return f"{self._list}[{self._type(schema['items'])}]"
        if kind == "object":
            return f"{self._dict}[str, {self._type(schema['additionalProperties'])}]"
        return _PLAIN[kind]


def _says_a_type(schema: _Schema) -> bool:
    # One without any is a second name of another; one that can only be null says what may not be there.
    return set(schema) != {"description"} and schema.get("type") != "null"


def _is_empty(schema: _Schema) -> bool:
    return schema.get("maxProperties") == 0


def _named(reference: str) -> str:
    return reference.rpartition("/")[2]


def _docstring(schema: _Schema, indent: str) -> str:
    text = schema.get("description", "").replace("\\", "\\\\")
    if not text:
        return ""
    first, *rest = text.split("\n")
    # The first line has its quotes beside it.
    lines = textwrap.wrap(first, _WIDTH - len(indent) - len('"' * 6))
    for line in rest:
        lines += textwrap.wrap(line, _WIDTH - len(indent)) or [""]
    end = "\n" if len(lines) > 1 else ""
    return textwrap.indent('"""' + "\n".join(lines) + end + '"""', indent) + "\n"


def _formatted(text: str) -> str:
    ruff = [sys.executable, "-m", "ruff", "format", "--stdin-filename", "types.py", "-"]
    return subprocess.run(ruff, input=text, capture_output=True, text=True, check=True).stdout  # noqa: S603
