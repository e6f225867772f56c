"""Prices: what a request costs. One request is one price, however many outputs it has.

Amounts are whole millicredits: 1000 of them are one credit.
"""

from dataclasses import dataclass
from typing import Final

from imageplane.settings import PriceSettings

MILLICREDITS: Final = 1000


@dataclass(frozen=True, slots=True)
class Price:
    """What one request of an API costs."""

    api: str
    amount_in_millicredits: int


def price_of_transform(settings: PriceSettings) -> Price:
    """Give what one request to the Image Transformation API costs."""
    return Price("image_transformation", settings.transform_in_millicredits)


def in_credits(amount_in_millicredits: int) -> str:
    """Give an amount as people read it, such as `12` or `0.5`."""
    whole, rest = divmod(abs(amount_in_millicredits), MILLICREDITS)
    sign = "-" if amount_in_millicredits < 0 else ""
    return f"{sign}{whole}.{rest:03}".rstrip("0").rstrip(".")
