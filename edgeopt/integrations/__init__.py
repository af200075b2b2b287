"""EdgeOpt within other tools, each of which imports what is here by itself."""
