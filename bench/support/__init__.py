"""What the benchmarks share: records, full engines, the pages to visit, what is printed, and what they start."""
