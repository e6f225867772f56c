"""The tables as they are now. How a database gets there is in `migrations`; a test holds the two together.

Moments are milliseconds since 1970 in UTC, amounts are whole millicredits, days are UTC dates such as 2026-11-23.
To add tables: declare them here, and write the next file of `migrations/versions`.
"""

from imageplane.database.schema import accounts, dashboard, jobs
from imageplane.database.schema.conventions import metadata

__all__ = ["accounts", "dashboard", "jobs", "metadata"]
