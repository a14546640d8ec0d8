"""The embedded PostgreSQL server, and logins."""
