"""Two more domains, written and frozen before the rules were looked at again."""
