"""Bulk transfer: binary COPY in, columns of arrays out."""
