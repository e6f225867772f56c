"""Speed, quality and memory against peers, measured in one run; README.md tells how."""
