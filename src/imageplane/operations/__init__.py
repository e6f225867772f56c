"""The catalog: every module of this folder is one operation, and its file name is the wire `type`."""

import difflib
import importlib
import pkgutil
from functools import cache
from types import MappingProxyType
from typing import Annotated, Any, Union

from pydantic import AliasChoices, Field, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from imageplane.errors import Fault, RequestError
from imageplane.limits import Limits
from imageplane.operation import Operation, OutputOperation, PixelOperation
from imageplane.unknown_fields import warnings_of


@cache
def catalog() -> MappingProxyType[str, type[Operation]]:
    """Give every operation by its wire `type`, in alphabetical order."""
    found: dict[str, type[Operation]] = {}
    for module_info in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{module_info.name}")
        for value in vars(module).values():
            if isinstance(value, type) and issubclass(value, Operation) and value.__module__ == module.__name__:
                found[module_info.name] = value
    return MappingProxyType(found)


@cache
def _adapter() -> TypeAdapter[Any]:
    # The members are only known at run time, so the type checker can't follow.
    union: Any = Union.__getitem__(tuple(catalog().values()))
    return TypeAdapter(Annotated[union, Field(discriminator="type")])


def parse(
    raw: object, path: str = "operations", limits: Limits | None = None
) -> tuple[tuple[Operation, ...], tuple[str, ...]]:
    """Read a list of operations from decoded JSON.

    Gives: the operations in their order, and warnings of unknown fields.
    Errors: invalid_request, with every fault of the whole list at once.
    """
    if not isinstance(raw, list):
        raise RequestError.of([Fault(path, "expected a list of operations")])
    most = (limits or Limits()).max_operations
    if len(raw) > most:
        message = f"at most {most} operations are allowed, but there are {len(raw)}"
        raise RequestError.of([Fault(path, message)])
    operations: list[Operation] = []
    faults: list[Fault] = []
    warnings: list[str] = []
    for index, item in enumerate(raw):
        place = f"{path}[{index}]"
        try:
            operation: Operation = _adapter().validate_python(item)
        except ValidationError as error:
            faults.extend(_fault(place, item, detail) for detail in error.errors(include_url=False))
        else:
            operations.append(operation)
            warnings += warnings_of(item, _names(type(operation)), place)
    if faults:
        raise RequestError.of(faults)
    return tuple(operations), tuple(warnings)


@cache
def _names(kind: type[Operation]) -> frozenset[str]:
    """Give every name that a field of an operation can have on the wire."""
    names = set(kind.model_fields)
    for field in kind.model_fields.values():
        if isinstance(field.validation_alias, AliasChoices):
            names.update(choice for choice in field.validation_alias.choices if isinstance(choice, str))
    return frozenset(names)


def _fault(place: str, item: object, detail: ErrorDetails) -> Fault:
    kind = detail["type"]
    if kind == "union_tag_invalid":
        return Fault(f"{place}.type", _unknown_type(item))
    if kind in ("model_attributes_type", "dict_type", "dict_attributes_type") and not isinstance(item, dict):
        return Fault(place, 'expected an object with a type, such as {"type": "flip"}')
    if kind == "union_tag_not_found":
        return Fault(f"{place}.type", 'every operation needs a type, such as "resize"')
    # The first part of the location is the tag that chose the model; the caller never wrote it.
    fields = ".".join(str(part) for part in detail["loc"][1:])
    message = detail["msg"].removeprefix("Value error, ")
    return Fault(f"{place}.{fields}" if fields else place, message[0].lower() + message[1:])


def _unknown_type(item: object) -> str:
    # Looking for what is meant takes seconds where the text is as large as a file.
    given = str(item.get("type"))[:40] if isinstance(item, dict) else ""
    close = difflib.get_close_matches(given, catalog(), n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"expected one of {', '.join(catalog())}"
    return f"unknown operation {given!r}; {hint}"


__all__ = ["OutputOperation", "PixelOperation", "catalog", "parse"]
