"""Run by Alembic: migrates the connection it was given. There is no offline mode and no URL."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=False)
context.run_migrations()
