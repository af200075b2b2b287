"""One module a command, imported when the command is named; what it needs, when it runs."""
