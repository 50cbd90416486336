"""A Keras classifier from elsewhere as the subject of a conversion."""
