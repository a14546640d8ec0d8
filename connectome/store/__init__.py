"""PostgreSQL: tables, connections, the embedded server, bulk copy and queries. Nothing else knows SQLAlchemy."""
