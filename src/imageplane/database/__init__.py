"""One database, SQLite or PostgreSQL: the connection, the tables, their migrations, and writing in groups."""

from imageplane.database.connection import Database
from imageplane.database.migrate import migrate
from imageplane.database.writer import Line, Writer

__all__ = ["Database", "Line", "Writer", "migrate"]
