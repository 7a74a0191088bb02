"""Authoring: how users declare agents, tools and workflows; what is wrong is said when their module is imported."""
