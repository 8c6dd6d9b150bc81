"""Layer 1: speaks the protocols of the outside. asyncio, no Django; nothing here knows a device's purpose."""
