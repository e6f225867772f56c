"""Who asks: the organization whose credits are spent, and the key that speaks for it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Account:
    """What is known of a good key; what it may still spend is asked of the ledger."""

    organization_id: str
    organization_name: str
    key_id: str
    key_name: str
    expires_at_in_ms: int | None = None
