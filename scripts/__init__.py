"""Programs for whoever works on Wardkeeper; nothing here is installed."""
