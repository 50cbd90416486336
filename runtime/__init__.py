"""On the device: bundle, preprocessing, engine, sources, decisions, sinks. Never TensorFlow."""
