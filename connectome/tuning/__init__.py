"""The grid search, calibration and decoys, over the same functions as the build."""
