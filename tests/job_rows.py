"""Rows of jobs for tests of what belongs to them."""

from sqlalchemy import Connection, text

from imageplane.database.schema.jobs import jobs
from imageplane.database.stamps import new_id


def insert_job(connection: Connection, organization_id: str, job_id: str = "") -> str:
    """Give the id of a job that is done, of an organization that has a key."""
    keys = text("SELECT id FROM api_keys WHERE organization_id = :id LIMIT 1")
    known = {
        "id": job_id or new_id(),
        "organization_id": organization_id,
        "key_id": connection.execute(keys, {"id": organization_id}).scalar_one(),
        "status": "succeeded",
        "delivery": "bytes",
    }
    # Whatever else a job must have means nothing here.
    others = {column.name: column.type.python_type() for column in jobs.columns if not column.nullable}
    connection.execute(jobs.insert().values({**others, **known}))
    return known["id"]
