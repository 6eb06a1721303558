"""Urban heat: pure measures, one family a module; ``use_case`` joins them."""
