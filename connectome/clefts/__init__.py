"""Image -> cleft voxels -> cleft objects."""
