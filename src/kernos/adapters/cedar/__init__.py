"""Cedar: policies in files, checked against a schema made from the declared tools."""
