"""What is agreed with a vendor's system about how its tokens are sent."""

from enum import Enum


class DpopMode(Enum):
    """Whether a system proves with DPoP that its token is its own."""

    OFF = "off"
    """Bearer only."""
    OPTIONAL = "optional"
    """As the token is: bound with a proof, unbound as Bearer."""
    REQUIRED = "required"
    """Bound tokens only."""
