"""The local twin: NGSI-LD and OGC APIs over one SQLite file, in one process.

`ldt_toolbox.twin.serve.Twin` starts one; `ldt_toolbox.twin.store.Store` is its file.
"""
