"""Fixtures of the tests that hold the server to its contract."""

from vendor import vendor

__all__ = ["vendor"]
