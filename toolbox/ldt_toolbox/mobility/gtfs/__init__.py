"""GTFS: public transport timetables read, checked and counted."""
