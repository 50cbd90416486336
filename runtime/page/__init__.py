"""The live page: a sink that keeps the newest picture, and a web server that shows it."""
