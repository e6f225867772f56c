"""The reference as one page of HTML, read from the OpenAPI document; it needs no other file, and no script to be read.

Its template is `reference.html`, which holds what no declaration says.
"""

import base64
import hashlib
import html
import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.resources import files
from string import Template
from typing import Any, Final

from imageplane.http import examples
from imageplane.http.look import styled
from imageplane.http.schemas import Schema, error_classes
from imageplane.settings import LimitSettings

_STYLE: Final = styled((files(__package__) / "reference.css").read_text("utf-8"))
_SCRIPT: Final = (files(__package__) / "reference.js").read_text("utf-8")
_PAGE: Final = Template((files(__package__) / "reference.html").read_text("utf-8"))


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


# Nothing but what is on the page itself, and nobody around it.
CONTENT_SECURITY_POLICY: Final = "; ".join(
    [
        "default-src 'none'", f"style-src {_digest(_STYLE)}", f"script-src {_digest(_SCRIPT)}", "img-src data:",
        "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'",
    ]
)  # fmt: skip

_OF_A_REQUEST: Final = (
    "OperationsRequest", "OutputsRequest", "Output", "File", "UrlFile", "Base64File", "FetchOptions", "BearerAuth",
    "BasicAuth", "CustomHeaderAuth",
)  # fmt: skip
_OF_A_REPLY: Final = (
    "PictureReply", "Picture", "PictureMetadata", "SourceMetadata", "SmartCrop", "Window", "Subject", "OutputsReply",
    "Pictures", "NamedPicture", "OutputMetadata", "TransformMetadata",
)  # fmt: skip
_PLACES: Final = {name: name for name in (*_OF_A_REQUEST, *_OF_A_REPLY)} | {"Operation": "operations"}
_KINDS: Final = {
    "integer": "whole number", "number": "number", "string": "text", "boolean": "`true` or `false`", "null": "`null`",
    "object": "object",
}  # fmt: skip
_SIGNS: Final = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤"}
_SIZES: Final = {
    "minLength": "at least {:,} characters", "maxLength": "at most {:,} characters", "minItems": "at least {:,}",
    "maxItems": "at most {:,}", "maxProperties": "at most {:,}",
}  # fmt: skip


def page(document: Mapping[str, Any], limits: LimitSettings, server_url: str) -> str:
    """Give the page of a document.

    Takes: the limits of the server, and the URL that it is asked at, such as `http://127.0.0.1:8000`.
    """
    schemas = document["components"]["schemas"]
    kinds = dict(_operations(document))
    path = next(path for path, methods in document["paths"].items() if "post" in methods)
    transform = document["paths"][path]["post"]
    replies = transform["responses"]
    return _PAGE.substitute(
        style=_STYLE,
        script=_SCRIPT,
        version=html.escape(document["info"]["version"]),
        description=html.escape(document["info"]["description"]),
        upload=html.escape(upload_command(server_url + path)),
        fetch=html.escape(_fetch(server_url + path)),
        transform=html.escape(f"POST {path}"),
        request="".join(_described(name, schemas) for name in _OF_A_REQUEST),
        headers=_table(("header", "meaning"), _header_parameters(transform)),
        reply=html.escape(_pretty(replies["200"]["content"]["application/json"]["example"])),
        replies="".join(_described(name, schemas, is_request=False) for name in _OF_A_REPLY),
        reply_headers=_table(("header", "meaning"), _named_descriptions(document["components"]["headers"])),
        links=" ".join(f'<a href="#{kind}">{kind}</a>' for kind in kinds),
        operations="".join(_article(kind, schema, schemas) for kind, schema in kinds.items()),
        failure=html.escape(_pretty(replies["401"]["content"]["application/json"]["example"])),
        errors=_table(("code", "status", "worth trying again", "meaning"), _errors()),
        limits=_table(("limit", "value", "meaning"), _limits(limits)),
        routes=_table(("route", "what it does"), _routes(document)),
    )


def values(schema: Schema) -> str:
    """Say in words what a value may be; names of code stand between backticks."""
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return " or ".join(values(part) for part in schema[several] if part not in _NOTHING)
    if "const" in schema or "enum" in schema:
        given = [value for value in schema.get("enum", [schema.get("const")]) if value is not None]
        return " · ".join(f"`{json.dumps(value)}`" for value in given)
    kinds = schema.get("type", [])
    kind = next((each for each in ([kinds] if isinstance(kinds, str) else kinds) if each != "null"), kinds)
    said = f"list of {values(schema['items'])}" if kind == "array" else _KINDS.get(str(kind), "")
    signs = ", ".join(f"{sign} {schema[bound]:,}" for bound, sign in _SIGNS.items() if bound in schema)
    # An empty text is seldom worth a word.
    sizes = [words.format(schema[bound]) for bound, words in _SIZES.items() if schema.get(bound, 1) > 1]
    return ", ".join([f"{said} {signs}".strip(), *sizes])


_NOTHING: Final = ({"type": "null"}, {"type": "object", "maxProperties": 0})


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, Schema]]:
    schemas = document["components"]["schemas"]
    for kind, place in schemas["Operation"]["discriminator"]["mapping"].items():
        yield kind, schemas[place.rpartition("/")[2]]


def _article(kind: str, schema: Schema, schemas: Mapping[str, Schema]) -> str:
    blocks = "".join(f"<pre>{html.escape(json.dumps(example))}</pre>" for example in schema["examples"])
    heading = f'<h3><a href="#{kind}">{kind}</a></h3>'
    return (
        f'<article id="{kind}">{heading}{_prose(schema["description"])}{_fields(schema, schemas)}{blocks}</article>\n'
    )


def _described(name: str, schemas: Mapping[str, Schema], *, is_request: bool = True) -> str:
    heading = f'<h3 id="{name}"><a href="#{name}">{name}</a></h3>'
    schema = schemas[name]
    if "properties" in schema:
        body = _fields(schema, schemas, is_request=is_request)
    else:
        body = f"<p>{_inline(values(schema))}</p>"
    return heading + _prose(schema["description"]) + body


def _fields(schema: Schema, schemas: Mapping[str, Schema], *, is_request: bool = True) -> str:
    required = set(schema.get("required", ()))
    for choice in schema.get("allOf", ()):
        if all("required" in branch for branch in choice["anyOf"]):
            required.update(choice["anyOf"][0]["required"])
    rows = []
    for name, value in schema["properties"].items():
        there = schemas.get(value.get("$ref", "").rpartition("/")[2], {})
        shown = there if there.get("type") == "array" else value
        description = value.get("description", there.get("description", ""))
        if name != "type" or "examples" not in schema:
            default = (_default(name, value, required),) if is_request else ()
            rows.append((f"`{name}`", values(shown), *default, description))
    heads = ("field", "values", *(("default",) if is_request else ()), "meaning")
    return _table(heads, rows) if rows else "<p>No fields.</p>"


def _default(name: str, value: Schema, required: set[str]) -> str:
    if name in required:
        return "required"
    return f"`{json.dumps(value['default'])}`" if "default" in value else ""


def _header_parameters(operation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for parameter in operation["parameters"]:
        yield f"`{parameter['name']}`", parameter["description"]


def _named_descriptions(parts: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for name, part in parts.items():
        yield f"`{name}`", part["description"]


def _errors() -> Iterator[tuple[str, ...]]:
    for error in error_classes():
        meaning = " ".join((error.__doc__ or "").split())
        yield f"`{error.code}`", str(error.status), "yes" if error.retryable else "no", meaning


def _limits(limits: LimitSettings) -> Iterator[tuple[str, ...]]:
    for name, field in type(limits).model_fields.items():
        value = getattr(limits, name)
        if isinstance(value, int):
            yield f"`{name}`", f"{value:,}", field.description or ""


def _routes(document: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"`{method.upper()} {path}`", f"{operation['summary']}."


def upload_command(url: str, key: str = "YOUR_KEY") -> str:
    """Give the line for a shell that makes a thumbnail of a photo that lies beside it."""
    operations = shlex.quote(f"operations={_pretty(examples.THUMBNAIL)}")
    return (
        f"curl -sS {url} \\\n  -H 'Authorization: Bearer {key}' -H 'Accept: image/*' \\\n"
        f"  -F file=@photo.jpg \\\n  -F {operations} \\\n  -o avatar.webp"
    )


def _fetch(url: str) -> str:
    body = {"file": {"url": "https://example.com/photo.jpg"}, "operations": examples.THUMBNAIL}
    return (
        f"curl -sS {url} \\\n  -H 'Authorization: Bearer YOUR_KEY' -H 'Content-Type: application/json' \\\n"
        f"  -d {shlex.quote(_pretty(body))}"
    )


def _pretty(value: object) -> str:
    """Give JSON with what fits on a line on one line."""
    text = json.dumps(value, ensure_ascii=False)
    if len(text) <= 100 or not isinstance(value, dict | list):
        return text
    if isinstance(value, dict):
        inner = [f"{json.dumps(name)}: {_pretty(part)}" for name, part in value.items()]
        start, end = "{}"
    else:
        inner, (start, end) = [_pretty(part) for part in value], "[]"
    return start + "\n" + ",\n".join("  " + part.replace("\n", "\n  ") for part in inner) + "\n" + end


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in heads)
    body = "".join("<tr>" + "".join(f"<td>{_inline(cell)}</td>" for cell in row) + "</tr>\n" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table>\n"


def _prose(text: str) -> str:
    return "".join(f"<p{_class(part)}>{_inline(part)}</p>" for part in text.split("\n\n") if part)


def _class(paragraph: str) -> str:
    return ' class="method"' if paragraph.startswith("Method: ") else ""


def _inline(text: str) -> str:
    unbroken = re.sub(r"([<>≤≥]) (?=\d)", "\\1\N{NO-BREAK SPACE}", text)
    return re.sub(r"`([^`]+)`", lambda found: _code(found[1]), html.escape(unbroken, quote=False))


def _code(text: str) -> str:
    code = f"<code>{text}</code>"
    return f'<a href="#{_PLACES[text]}">{code}</a>' if text in _PLACES else code
