"""Device profiles: one TOML file a board."""
