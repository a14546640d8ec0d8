"""The version of this package. In a file of its own, so that nothing leads from a build to what asks a database."""

VERSION = "0.1.0"
