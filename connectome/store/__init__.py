"""PostgreSQL: tables, connections, the embedded server, bulk copy and queries. The only room that knows SQLAlchemy."""
