"""Fields without a meaning: they are ignored, and the caller is warned of them."""

from collections.abc import Collection
from typing import Final

_MOST_NAMED: Final = 10


def warnings_of(given: Collection[str], known: Collection[str], path: str = "") -> list[str]:
    """Give a warning for every field of an object that is not known; of many, for the first few and one for the rest.

    Takes: `path`, where the object stands in the request, such as `file`.
    """
    unknown = [name for name in given if name not in known]
    prefix = f"{path}." if path else ""
    warnings = [f"{prefix}{name!s:.60}: unknown field, ignored" for name in unknown[:_MOST_NAMED]]
    rest = len(unknown) - len(warnings)
    return [*warnings, f"{prefix}… and {rest:,} more: unknown fields, ignored"] if rest else warnings
