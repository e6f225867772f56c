"""Every setting, as an environment variable that starts with `IMAGEPLANE_`; `__` stands between section and name.

`IMAGEPLANE_HEIC=off` and `IMAGEPLANE_LIMITS__MAX_PIXELS=40000000` are two of them. Settings are made at a door, by
`load`, and handed down; `Settings.model_construct()` gives the defaults without looking at the environment.
"""

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSetting

from imageplane import machine
from imageplane.errors import Fault, SettingsError
from imageplane.settings.dashboard_section import DashboardSettings
from imageplane.settings.job_sections import JobSettings, WebhookSettings
from imageplane.settings.sections import (
    DELIMITER,
    PREFIX,
    AdmissionSettings,
    BlobSettings,
    CacheSettings,
    DatabaseSettings,
    EngineSettings,
    HttpSettings,
    LimitSettings,
    ModelSettings,
    PriceSettings,
    SourcesSettings,
)


class Settings(BaseSettings):
    """Every setting of this installation."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter=DELIMITER, env_ignore_empty=True, frozen=True, extra="ignore"
    )

    heic: Annotated[bool, Field(description="Whether HEIC is read and written where pillow-heif is there.")] = True
    keep_copyright: Annotated[
        bool, Field(description="Whether the artist and the copyright of the source are kept in results.")
    ] = False
    data_dir: Annotated[
        Path, Field(description="The folder for everything that is kept; made when it is not there.")
    ] = Field(default_factory=machine.user_data_dir)
    models_dir: Annotated[Path, Field(description="The folder of the networks' weights.")] = Field(
        default_factory=machine.models_dir
    )
    trial_credits: Annotated[
        int, Field(ge=0, le=1_000_000_000, description="The credits that a new organization starts with.")
    ] = 1000
    limits: LimitSettings = Field(default_factory=LimitSettings)
    admission: AdmissionSettings = Field(default_factory=AdmissionSettings)
    http: HttpSettings = Field(default_factory=HttpSettings)
    engine: EngineSettings = Field(default_factory=EngineSettings)
    sources: SourcesSettings = Field(default_factory=SourcesSettings)
    database: DatabaseSettings = Field(default_factory=DatabaseSettings)
    blobs: BlobSettings = Field(default_factory=BlobSettings)
    cache: CacheSettings = Field(default_factory=CacheSettings)
    prices: PriceSettings = Field(default_factory=PriceSettings)
    models: ModelSettings = Field(default_factory=ModelSettings)
    jobs: JobSettings = Field(default_factory=JobSettings)
    webhooks: WebhookSettings = Field(default_factory=WebhookSettings)
    dashboard: DashboardSettings = Field(default_factory=DashboardSettings)


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


__all__ = [
    "DELIMITER",
    "PREFIX",
    "AdmissionSettings",
    "BlobSettings",
    "CacheSettings",
    "DashboardSettings",
    "DatabaseSettings",
    "EngineSettings",
    "HttpSettings",
    "JobSettings",
    "LimitSettings",
    "ModelSettings",
    "PriceSettings",
    "Settings",
    "SourcesSettings",
    "WebhookSettings",
    "load",
]
