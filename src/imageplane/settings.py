"""Every setting, as an environment variable that starts with `IMAGEPLANE_`; `__` stands between section and name.

`IMAGEPLANE_HEIC=off` and `IMAGEPLANE_LIMITS__MAX_PIXELS=40000000` are two of them. Settings are made at a door, by
`load`, and handed down; `Settings.model_construct()` gives the defaults without looking at the environment.
"""

import os
import re
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSetting

from imageplane.errors import Fault, SettingsError
from imageplane.limits import Limits

PREFIX = "IMAGEPLANE_"
DELIMITER = "__"

_SECTION = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def _available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class EngineSettings(BaseModel):
    """The processes that decode untrusted bytes."""

    model_config = _SECTION

    count: Annotated[
        int, Field(ge=1, le=1024, description="How many engine processes work at once; the default is one per core.")
    ] = Field(default_factory=_available_cores)
    deadline_in_s: Annotated[
        float, Field(gt=0, le=3600, description="How long an engine may work on one image before it is killed.")
    ] = 30.0
    memory_in_bytes: Annotated[
        int, Field(ge=300_000_000, le=2**40, description="The most data memory that one engine may hold.")
    ] = 900_000_000
    recycle_after: Annotated[
        int, Field(ge=1, le=1_000_000, description="After how many images an engine is replaced by a fresh one.")
    ] = 1000


class Settings(BaseSettings):
    """Every setting of this installation."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=DELIMITER, env_ignore_empty=True, frozen=True, extra="ignore"
    )

    heic: Annotated[bool, Field(description="Whether HEIC is read and written where pillow-heif is there.")] = True
    keep_copyright: Annotated[
        bool, Field(description="Whether the artist and the copyright of the source are kept in results.")
    ] = False
    limits: Limits = Field(default_factory=Limits)
    engine: EngineSettings = Field(default_factory=EngineSettings)


def load() -> Settings:
    """Read the settings from the environment. Errors: invalid_settings, with every wrong variable at once."""
    try:
        return Settings()
    except ValidationError as error:
        faults = tuple(_fault(detail) for detail in error.errors(include_url=False))
    except UnreadableSetting as error:
        faults = (_unreadable(str(error)),)
    raise SettingsError.of(faults) from None


def _fault(detail: ErrorDetails) -> Fault:
    variable = PREFIX + DELIMITER.join(str(part) for part in detail["loc"]).upper()
    if detail["type"] == "extra_forbidden":
        return Fault(variable, "there is no setting of this name")
    expected = detail["msg"].removeprefix("Input should be ").removeprefix("a valid ")
    return Fault(variable, f"{str(detail['input'])[:80]!r} is no value for it; expected {expected}")


def _unreadable(report: str) -> Fault:
    # A section without a name behind it is read as one JSON object; this one is none.
    section = re.search(r'field "(\w+)"', report)
    variable = PREFIX + (section[1].upper() if section else "*")
    return Fault(variable, f"expected a JSON object, or one variable for each setting, such as {variable}{DELIMITER}…")
