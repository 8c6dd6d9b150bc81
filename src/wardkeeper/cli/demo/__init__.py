"""Hospital M: what `wardkeeper up --demo` fills an empty installation with, and its devices."""
