"""JSON Schemas of what goes over the wire, read from the models that check it and the shapes that answer it."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, Literal

from pydantic import AliasChoices, BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from imageplane import errors, reply
from imageplane.errors import ImageplaneError
from imageplane.http import job_replies, replies, webhook_replies
from imageplane.limits import Limits
from imageplane.operation import Operation
from imageplane.operations import catalog
from imageplane.request import MAX_OUTPUTS
from imageplane.sources.fetch_options import BasicAuth, BearerAuth, CustomHeaderAuth, FetchOptions
from imageplane.sources.location import MAX_LENGTH

Schema = dict[str, Any]

_PLACE: Final = "#/components/schemas/"
_NULL: Final[Schema] = {"type": "null"}
_REPLIES: Final = (
    reply.PictureReply, reply.OutputsReply, replies.ErrorReply, replies.AccountReply, replies.UsageReply,
    replies.AliveReply, replies.ReadyReply, webhook_replies.WebhookSecretsReply, webhook_replies.DeliveriesReply,
    webhook_replies.DeliveryReply, job_replies.JobReply, job_replies.JobsReply, job_replies.AcceptedReply,
    job_replies.BulkReply,
)  # fmt: skip
_LATER: Final[Schema] = {
    "webhook_url": {
        "anyOf": [{"type": "string", "format": "uri", "maxLength": MAX_LENGTH}, _NULL],
        "description": "Where the reply is sent: the request is accepted at once, and answered later.",
    },
    "delivery": {
        "enum": ["bytes", "link"],
        "default": "bytes",
        "description": "Whether what is sent there holds the pictures, or links to them.",
    },
}


def ref(name: str) -> Schema:
    """Give the reference to a schema of the document."""
    return {"$ref": _PLACE + name}


def schemas(limits: Limits) -> dict[str, Schema]:
    """Give every schema of the document by its name, in alphabetical order."""
    found = {**_operations(), **_fetch_options(), **_files(), **_requests(limits), **_answers()}
    return {name: untitled(found[name]) for name in sorted(found)}


def error_classes() -> Iterator[type[ImageplaneError]]:
    """Give every class of error below the root that has a code of its own, in the order of their declaration."""
    for value in vars(errors).values():
        is_one = inspect.isclass(value) and issubclass(value, ImageplaneError) and value is not ImageplaneError
        if is_one and "code" in vars(value):
            yield value


def _operations() -> dict[str, Schema]:
    names = {kind: f"{operation.__name__}Operation" for kind, operation in catalog().items()}
    found: dict[str, Schema] = {}
    for kind, name in names.items():
        schema = _operation(kind, catalog()[kind])
        found |= {**schema.pop("$defs", {}), name: schema}
    union = {
        "description": "One step of a transformation; `type` says which.",
        "oneOf": [ref(name) for name in names.values()],
        "discriminator": {
            "propertyName": "type",
            "mapping": {kind: _PLACE + name for kind, name in names.items()},
        },
    }
    return found | {"Operation": union}


def _operation(kind: str, operation: type[Operation]) -> Schema:
    schema = as_accepted(operation, operation.model_json_schema(ref_template=_PLACE + "{model}"))
    examples: list[Schema] = []
    for example in operation.examples:
        wanted = {"type": kind, **example.fields}
        examples += [wanted] if wanted not in examples else []
    return {**schema, "examples": examples}


def _fetch_options() -> dict[str, Schema]:
    models: tuple[type[BaseModel], ...] = (FetchOptions, BasicAuth, BearerAuth, CustomHeaderAuth)
    found = {}
    for model in models:
        schema = model.model_json_schema(ref_template=_PLACE + "{model}")
        schema.pop("$defs", None)
        found[model.__name__] = as_accepted(model, schema)
    # The Go client sends {} for what was not set.
    found["FetchOptions"]["properties"]["auth"]["anyOf"].append({"type": "object", "maxProperties": 0})
    return found


def as_accepted(model: type[BaseModel], schema: Schema) -> Schema:
    """Give the schema of a model as its reading goes: null stands for absent, and a field can have other names."""
    required = {*schema.get("required", ()), *({"type"} & set(model.model_fields))}
    properties: dict[str, Schema] = {}
    choices = []
    for name, field in model.model_fields.items():
        value = _with_named_keys(schema["properties"][name])
        others = _other_names(name, field)
        properties[name] = value if name in required and not others else _or_null(value)
        properties |= {other: {"description": f"Another name of `{name}`, which goes first."} for other in others}
        if others:
            choices.append({"anyOf": list(_one_of_names((name, *others), _bare(value), is_required=name in required))})
            required.discard(name)
    for branch in schema.get("anyOf", ()):
        branch["properties"] = {name: {"type": _kind(properties[name])} for name in branch["required"]}
    properties.get("type", {}).pop("default", None)
    rest = {"required": [name for name in properties if name in required], "allOf": choices}
    return {**schema, "properties": properties, **{key: part for key, part in rest.items() if part}}


def _other_names(name: str, field: FieldInfo) -> list[str]:
    alias = field.validation_alias
    if not isinstance(alias, AliasChoices):
        return []
    return [choice for choice in alias.choices if isinstance(choice, str) and choice != name]


def _one_of_names(names: Sequence[str], value: Schema, *, is_required: bool) -> Iterator[Schema]:
    """Give what holds for each name that can be the first that is there; what stands under the others is ignored."""
    absent: Schema = {}
    for name in names:
        yield {"properties": {**absent, name: value}, "required": [name]}
        absent[name] = _NULL
    if not is_required:
        yield {"properties": absent}


def _with_named_keys(value: Schema) -> Schema:
    """Say of the keys of a mapping that they have to match a pattern; pydantic only says what matching keys hold."""
    if len(value.get("patternProperties", ())) != 1:
        return value
    ((pattern, inner),) = value["patternProperties"].items()
    rest = {key: part for key, part in value.items() if key != "patternProperties"}
    return {**rest, "propertyNames": {"pattern": pattern}, "additionalProperties": inner}


def _bare(value: Schema) -> Schema:
    """Give what a value must be when it is there."""
    some = [part for part in value.get("anyOf", ()) if part != _NULL]
    bare = some[0] if len(some) == 1 else value
    return {key: part for key, part in bare.items() if key not in ("description", "default", "title")}


def _kind(value: Schema) -> str:
    """Give the type that a value has when it is not null."""
    kind = value["type"]
    return next(each for each in ([kind] if isinstance(kind, str) else kind) if each != "null")


def _or_null(value: Schema) -> Schema:
    notes = {
        key: part for key, part in value.items() if key == "description" or (key == "default" and part is not None)
    }
    bare = _bare(value)
    if "type" not in bare:
        return {"anyOf": [bare, _NULL], **notes}
    several = {"enum": [*bare["enum"], None]} if "enum" in bare else {}
    return {**bare, "type": [bare["type"], "null"], **several, **notes}


def _object(description: str, properties: Schema, *required: str, **more: Any) -> Schema:
    found = {"type": "object", "description": description, "properties": properties, "required": list(required)}
    return {**found, **more}


def _files() -> dict[str, Schema]:
    url = {
        "type": "string",
        "format": "uri",
        "maxLength": MAX_LENGTH,
        "description": "An https address on the public internet. Redirects are followed, and judged the same.",
    }
    base64 = {
        "type": "string",
        "minLength": 1,
        "format": "byte",
        "contentEncoding": "base64",
        "description": "The standard alphabet, padded or not; a `data:image/…;base64,` in front is passed over.",
    }
    return {
        "UrlFile": _object("A file that the server fetches.", _file("url", url, "base64"), "url"),
        "Base64File": _object("A file inside the request.", _file("base64", base64, "url"), "base64"),
        "File": {"description": "Where the picture is.", "oneOf": [ref("UrlFile"), ref("Base64File")]},
    }


def _file(kind: str, value: Schema, other: str) -> Schema:
    return {
        "type": {"enum": [kind, None], "description": "May be left out."},
        kind: value,
        other: {**_NULL, "description": f"A file has either `{kind}` or `{other}`."},
        "name": {"type": ["string", "null"], "maxLength": 1024, "description": "A hint only; the bytes decide."},
        "fetch_options": {"anyOf": [ref("FetchOptions"), _NULL], "description": "How to fetch a file from its URL."},
    }


def _requests(limits: Limits) -> dict[str, Schema]:
    name = {
        "type": "string",
        "pattern": "^[A-Za-z0-9_-]{1,64}$",
        "description": "1 to 64 letters, digits, `_` and `-`; no two of a request may differ only in capitals.",
    }
    return {
        "Operations": {
            "type": "array",
            "maxItems": limits.max_operations,
            "items": ref("Operation"),
            "description": "Done in their order; an empty list only encodes anew.",
        },
        "Output": _object(
            "One of several pictures that are made of one source.",
            {"name": name, "operations": ref("Operations")},
            *("name", "operations"),
        ),
        "Outputs": {
            "type": "array",
            "minItems": 1,
            "maxItems": MAX_OUTPUTS,
            "items": ref("Output"),
            "description": "All made of the source as it was fetched and decoded once.",
        },
        "OperationsRequest": _request("One picture.", "operations", "outputs"),
        "OutputsRequest": _request("Several pictures of one source.", "outputs", "operations"),
        "TransformRequest": {
            "description": "What is to be made of a picture.",
            "oneOf": [ref("OperationsRequest"), ref("OutputsRequest")],
        },
        "TransformForm": _form(),
        "BulkRequest": {
            "description": "What is to be made of every picture of a manifest.",
            "oneOf": [
                _bulk("One picture of each.", "operations", "outputs"),
                _bulk("Several pictures of each.", "outputs", "operations"),
            ],
        },
    }


def _request(description: str, given: str, other: str) -> Schema:
    properties = {"file": ref("File"), given: ref(given.capitalize()), **_LATER}
    # Even null: nobody should be left in doubt which of the two was meant.
    return _object(description, properties, "file", given, **{"not": {"required": [other]}})


def _bulk(description: str, given: str, other: str) -> Schema:
    manifest = {
        "allOf": [ref("UrlFile")],
        "description": 'A file with one JSON object in every line: `{"url": "https://…"}`, and a `name` if it is to '
        "have one.",
    }
    properties = {"manifest": manifest, given: ref(given.capitalize()), "webhook_url": _LATER["webhook_url"]}
    return _object(description, properties, "manifest", given, **{"not": {"required": [other]}})


def _form() -> Schema:
    file = {
        "type": "string",
        "minLength": 1,
        "contentMediaType": "application/octet-stream",
        "description": "The picture, as a part with a filename.",
    }
    # A part of a form is a text, which can't be null.
    webhook_url = {key: part for key, part in _LATER["webhook_url"].items() if key != "anyOf"}
    later = {**_LATER, "webhook_url": {**_LATER["webhook_url"]["anyOf"][0], **webhook_url}}
    return _object(
        "The same as a form: the picture as a file, `operations` or `outputs` as JSON.",
        {"file": file, "operations": ref("Operations"), "outputs": ref("Outputs"), **later},
        "file",
        oneOf=[{"required": ["operations"]}, {"required": ["outputs"]}],
        # A part without a name is none.
        propertyNames={"minLength": 1},
    )


def _answers() -> dict[str, Schema]:
    adapters: list[tuple[type, Literal["serialization"], TypeAdapter[Any]]] = [
        (kind, "serialization", TypeAdapter(kind)) for kind in _REPLIES
    ]
    found: dict[str, Schema] = TypeAdapter.json_schemas(adapters, ref_template=_PLACE + "{model}")[1]["$defs"]
    found["ErrorReply"]["properties"]["code"]["enum"] = list(dict.fromkeys(each.code for each in error_classes()))
    pictures = [ref("PictureReply"), ref("OutputsReply")]
    found["TransformReply"] = {"description": "One picture, or one for each of the `outputs`.", "oneOf": pictures}
    found["ResultReply"] = {"description": "What came of a job.", "oneOf": [*pictures, ref("BulkReply")]}
    return found


def untitled(value: Any) -> Any:
    """Leave out the titles that pydantic makes of names: they say nothing new."""
    if isinstance(value, Mapping):
        return {key: untitled(part) for key, part in value.items() if key != "title" or not isinstance(part, str)}
    return [untitled(part) for part in value] if isinstance(value, list) else value
