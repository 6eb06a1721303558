"""What entities were: history of each attribute, asked by time (GS CIM 009 V1.8.1, 5.6, 5.7)."""
