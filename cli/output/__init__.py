"""Printing of results and progress."""
