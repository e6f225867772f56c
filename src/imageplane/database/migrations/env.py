"""What Alembic runs: the migrations, in the transaction of whoever asked for them."""

from alembic import context

from imageplane.database.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
