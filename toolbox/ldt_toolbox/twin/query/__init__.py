"""Query languages of NGSI-LD: what they say, and whether an entity meets it."""
