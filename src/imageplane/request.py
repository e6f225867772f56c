"""What is wanted of one source, read from decoded JSON: every fault of the whole request at once."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, Self

from imageplane import operations as catalog
from imageplane.errors import Fault, RequestError
from imageplane.limits import Limits
from imageplane.operation import PixelOperation
from imageplane.pipeline import Output
from imageplane.unknown_fields import warnings_of

MAX_OUTPUTS: Final = 20
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class TransformRequest:
    """What is wanted of one source.

    Takes: `outputs`, at least one; `is_single`, when the request listed operations rather than named outputs: then
    the one output has the name "image"; `warnings` about the request itself.
    """

    outputs: tuple[Output, ...]
    is_single: bool
    warnings: tuple[str, ...] = ()

    @property
    def looks(self) -> bool:
        """Whether any operation asks what is in the picture."""
        operations = (operation for output in self.outputs for operation in output.operations)
        return any(isinstance(operation, PixelOperation) and operation.looks for operation in operations)

    @property
    def canonical(self) -> str:
        """What is wanted, in words that are the same for the same wish, however it was written."""
        return "\n".join(
            "\n".join([output.name, *(operation.model_dump_json() for operation in output.operations)])
            for output in self.outputs
        )

    @classmethod
    def parse(cls, raw: object, limits: Limits | None = None, also_known: Collection[str] = ()) -> Self:
        """Read a request from decoded JSON.

        Takes: `{"operations": […]}` or `{"outputs": [{"name": …, "operations": […]}, …]}`; fields beside these that
        the door reads itself.
        Errors: invalid_request, with every fault of the whole request at once.
        """
        if not isinstance(raw, Mapping):
            raise RequestError.of([Fault("request", "expected an object with operations or outputs")])
        reading = _Reading(limits or Limits())
        reading.warnings += warnings_of(raw, {"operations", "outputs", *also_known})
        is_single = "operations" in raw
        if is_single:
            reading.add_output("image", raw["operations"], "operations")
        if "outputs" in raw:
            reading.read_outputs(raw["outputs"])
        if is_single == ("outputs" in raw):
            reading.faults.append(Fault("operations", "give either operations or outputs"))
        if reading.faults:
            raise RequestError.of(reading.faults)
        return cls(tuple(reading.outputs), is_single, tuple(reading.warnings))


class _Reading:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.outputs: list[Output] = []
        self.faults: list[Fault] = []
        self.warnings: list[str] = []

    def read_outputs(self, raw: object) -> None:
        if not isinstance(raw, list) or not 1 <= len(raw) <= MAX_OUTPUTS:
            self.faults.append(Fault("outputs", f"expected a list of 1 to {MAX_OUTPUTS} outputs"))
            return
        for index, item in enumerate(raw):
            place = f"outputs[{index}]"
            if not isinstance(item, Mapping):
                self.faults.append(Fault(place, "expected an object with name and operations"))
                continue
            self.warnings += warnings_of(item, {"name", "operations"}, place)
            name = self._checked_name(item.get("name"), f"{place}.name")
            self.add_output(name, item.get("operations"), f"{place}.operations")

    def add_output(self, name: str, raw_operations: object, path: str) -> None:
        try:
            operations, warnings = catalog.parse(raw_operations, path, self._limits)
        except RequestError as error:
            self.faults.extend(error.faults)
        else:
            self.outputs.append(Output(name, operations, path))
            self.warnings.extend(warnings)

    def _checked_name(self, name: object, path: str) -> str:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            self.faults.append(Fault(path, "expected 1 to 64 letters, digits, dashes or underscores"))
            return ""
        # Names become file names, and some file systems don't tell capitals from small letters.
        if name.lower() in {output.name.lower() for output in self.outputs}:
            self.faults.append(Fault(path, f"the name {name!r} is taken by another output"))
        return name
