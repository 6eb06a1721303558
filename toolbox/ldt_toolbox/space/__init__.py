"""Raster and vector operations that the use cases share."""
