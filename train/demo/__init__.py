"""The data that comes with the package: real handwritten digits set in motion."""
