"""Mobility: networks, access, public transport, traffic, equity."""
