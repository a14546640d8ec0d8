"""The tables, their migration and their partitions."""
