"""Subscriptions at work: what they are about, when they are due, delivery (GS CIM 009, 5.8)."""
