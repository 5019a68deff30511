"""Property tests are judged by what they find, never by how long one example took on a busy machine."""

from hypothesis import settings

settings.register_profile("knutepunkt", deadline=None)
settings.load_profile("knutepunkt")
