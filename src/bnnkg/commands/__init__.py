"""The commands, by what they are about; ``bnnkg.cli`` puts them together."""
