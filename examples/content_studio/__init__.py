"""A creator's content: an agent that publishes, plans, sends newsletters and answers comments, under the starter set of policies."""
