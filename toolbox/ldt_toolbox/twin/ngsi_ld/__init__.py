"""The NGSI-LD API (ETSI GS CIM 009 V1.8.1) over a store."""
