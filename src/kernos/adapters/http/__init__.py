"""HTTP: services behind tools, and models behind an OpenAI-compatible endpoint."""
