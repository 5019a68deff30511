"""A Service Bus on this machine, for any client that speaks to Azure's over AMQP 1.0.

From the ground up; a module imports only from the lines above its own and, on its own line, from those to its left:

    ground       refusals, billing, clock, deadlines, cbs
    messages     message, browse, storage, context
    queues       plain, sessions, queue, broker
    on the wire  wire, settling, management, rights
    links        links, requests, attaching
    connections  channel, connection, server
    service      http, service, __main__

What a lower module needs of a higher one, it says itself, as a protocol: `context.Consumer` is a receiving link to a
queue, `links.Carrier` a session to its links, `channel.Peer` a connection to its sessions, `connection.Common` the
server to its connections.
"""

from sandbox.servicebus.clock import ManualClock
from sandbox.servicebus.service import Service, serve

__all__ = ["ManualClock", "Service", "serve"]
