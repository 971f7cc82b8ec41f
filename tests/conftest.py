"""What holds for every test: a busy machine makes none of them fail."""

import signal

from hypothesis import HealthCheck, settings

settings.register_profile("suite", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("suite")

# A job in the background may begin with Ctrl-C ignored, and all that it starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
