"""How good a model is: on clips, and on streams that are never reset. No TensorFlow in here."""
