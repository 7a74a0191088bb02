"""App: where all parts are put together: the kernel as a library, and the command line over it."""
