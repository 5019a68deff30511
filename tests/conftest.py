"""Property tests are judged by what they find, never by how long an example took on a busy machine.

On CI they try the same examples every time: a run that fails must fail again. Elsewhere they try new ones.
"""

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "knutepunkt",
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("knutepunkt")
