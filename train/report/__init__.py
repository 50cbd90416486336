"""The run as one page: self-contained, light and dark, readable on a phone."""
