"""Tables as files and as Arrow; nothing else knows pyarrow. Reads and writes CSV, Feather and Parquet in batches."""
