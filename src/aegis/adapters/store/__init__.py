"""What Aegis remembers, in SQLite on one machine or in PostgreSQL for several."""
