"""The CRNN: its settings, its cell, and the graphs over its layers."""
