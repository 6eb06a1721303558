"""OGC API Features and Processes over the twin, with its OpenAPI document and its own page.

`ldt_toolbox.twin.ogc.extension.ogc_apis` makes the extension that `create_app` and `Twin` take.
"""
