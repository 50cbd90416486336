"""edgecrnn: train a CRNN, convert it to int8, ship it to a board, classify live."""

__version__ = "0.1.0"
