"""The API's description of itself: for people, for generators of clients, and for FHIR clients."""

from typing import Final

NAME: Final = "Knutepunkt"
VERSION: Final = "0.1.0"
"""Of the API and the app; pyproject.toml says the same."""
