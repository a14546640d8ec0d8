"""The connectome as its users meet it: questions, and tables in and out. Joins the store with table files."""
