"""Entity types, units, contexts, lint and mappings: what the data of a twin mean."""
