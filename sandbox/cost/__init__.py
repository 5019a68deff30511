"""What the hub costs in Azure: what the template makes, what an event was measured to take, and a list of prices."""
