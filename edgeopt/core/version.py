"""EdgeOpt's version: where the package, the program and every manifest have it from."""

__version__ = "0.1.0"
