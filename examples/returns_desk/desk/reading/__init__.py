"""Reading tickets by hand-written rules, in seven languages: what the desk uses where no language model is set up."""
