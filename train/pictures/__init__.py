"""Training on single pictures for tasks that answer with something else than labels."""
