"""The command line: one file per command or group, put together in `main`.

A command parses, makes one call into the library, and prints: results to stdout, progress and errors to stderr.
"""
