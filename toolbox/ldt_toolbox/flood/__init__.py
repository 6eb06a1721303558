"""Flood: rain, runoff, terrain, hydraulics and what a flood does to people and buildings."""
