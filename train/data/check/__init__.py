"""Looks through a data folder for what would spoil training or its score."""
