"""The carrier over NATS JetStream, and the only place that knows its client library.

A family of topics is a stream `<prefix>-<family>` with subjects `<prefix>.<family>.<topic>.<partition>`;
its entries are bundles. A group's position lies in the stream `<prefix>-positions`; its reader is a
short-lived consumer without acknowledgements that starts behind that position. JetStream's own
redelivery is not used: it brings old messages behind newer ones of the same key.
"""

from wardkeeper.bus.nats.carrier import NatsCarrier

__all__ = ["NatsCarrier"]
