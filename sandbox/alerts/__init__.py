"""Where alerts arrive on one machine: an address that takes webhooks and checks their signatures, and a mail server."""
