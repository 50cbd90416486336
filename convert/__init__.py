"""From a run to a bundle: graphs, quantization recipes, certificate, metadata."""
