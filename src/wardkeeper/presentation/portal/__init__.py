"""Where nurses and doctors report faults and follow them, on a phone first."""
