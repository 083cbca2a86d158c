"""starter-copy: the small language model that ships with the project, its corpus and its training."""
