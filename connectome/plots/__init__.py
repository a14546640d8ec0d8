"""Figures as PNG files. The only place that knows matplotlib; draws numbers that others computed."""
