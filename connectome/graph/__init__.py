"""NetworkX graphs of a run, and their exports."""
