"""Steps from one shape of the database to the next, in versions/; env.py is what Alembic runs."""
