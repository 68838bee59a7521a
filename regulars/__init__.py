"""The front step: command line, what runs in which process, embedded servers, demo data."""
