"""HTML pages of one design: each is one file that loads nothing and is readable without scripts."""
