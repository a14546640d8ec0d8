"""Options, each written once."""
