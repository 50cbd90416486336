"""Conversion of picture tasks: the same variants, judged by what the task measures."""
