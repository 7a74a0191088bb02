"""Where credentials lie: environment, files, the system's keyring."""
