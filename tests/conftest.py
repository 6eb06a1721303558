"""What holds for all tests."""

from hypothesis import settings

# A shared machine pauses a test now and then; what takes too long is a benchmark's business.
settings.register_profile("shared-machine", deadline=None)
settings.load_profile("shared-machine")
