"""What the tests of deployment share."""

from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from imageplane.settings import DELIMITER, PREFIX, Settings


@pytest.fixture(scope="session")
def variables() -> frozenset[str]:
    """Give the name of every setting in the environment, and those of others that we name ourselves."""
    theirs = {"FORWARDED_ALLOW_IPS", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    return frozenset({*_names(PREFIX, Settings), *theirs})


def _names(prefix: str, model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            yield from _names(f"{prefix}{name.upper()}{DELIMITER}", section)
        else:
            yield f"{prefix}{name.upper()}"
