"""Keep a use case's results up to date: run it again when a broker tells of a change.

`docs/watch.md` says how it decides; `watch.watcher.Watch` is where it starts.
"""
