"""Events: what devices say of themselves, and what it means."""
