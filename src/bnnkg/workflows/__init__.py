"""The only wiring between the rooms: what a command or a notebook calls."""
