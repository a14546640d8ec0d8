"""Tables as files and as Arrow: the room that knows pyarrow. Reads and writes CSV, Feather and Parquet in batches."""
